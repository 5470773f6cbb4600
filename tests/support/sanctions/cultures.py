"""How names are made in many languages; every word is invented."""

from dataclasses import dataclass

from tests.support.sanctions.parts import Maker, arabic, chinese, cyrillic, greek, latin


@dataclass(frozen=True)
class Culture:
    """How a language makes names; `middle` and `surnames` are how many of each, from and to."""

    name: str
    given: Maker
    surname: Maker
    middle: tuple[int, int] = (0, 1)
    surnames: int = 1
    particles: tuple[str, ...] = ()


CULTURES = (
    Culture(
        "English",
        latin(
            "b br c d f gr h j l m p st t w",
            "a e i o u ea",
            "ll n r s tt th ck -",
            "ard ert in ley ow y",
            (1, 1),
        ),
        latin(
            "b bl c d f g h k l m n p r s w th",
            "a e i o oo u",
            "ck ll n r rs rn st x -",
            "bury by den field ham ler man ton worth",
            (1, 1),
        ),
        (0, 2),
    ),
    Culture(
        "Spanish",
        latin("b c d f j l m n r s t v", "a e i o u", "n r s -", "ardo ía ela ino elio undo iña", (1, 2)),
        latin(
            "b c g l m n r s t v z", "a e é i í o ó u", "l n r s -", "ález ero uiz ago eda aga uño", (1, 2)
        ),
        (0, 1),
        surnames=2,
    ),
    Culture(
        "Portuguese",
        latin("b c d f g l m n r t v", "a e i o u", "l n r s -", "ão elo ília ando isa", (1, 2)),
        latin("b c f g l m n p r s t v", "a e i o u", "l n r s -", "ães eira inho alho osa ões", (1, 2)),
        (0, 2),
        surnames=2,
        particles=("da", "dos", "de"),
    ),
    Culture(
        "French",
        latin("b c d f g h l m p r th v", "a e é i o u", "l n r -", "ien ette ance ard ine èle", (1, 2)),
        latin(
            "b br c ch d f g l m p r t v", "a e i o ou au", "ll n r rt -", "eau ier oux ain elle ault", (1, 2)
        ),
        (0, 1),
        particles=("de", "de la", "du"),
    ),
    Culture(
        "German",
        latin("b d f g h k l m r s t w", "a e i o u ü", "l n r rt -", "helm rich bert linde a old", (1, 1)),
        latin(
            "b br d f g h k kr l m r s sch st t w z",
            "a e i o u ä ö ü",
            "ch ck ll n r tz",
            "er mann bach hardt ner ke",
            (1, 1),
        ),
        (0, 1),
        particles=("von", "zu"),
    ),
    Culture(
        "Nordic",
        latin("b d f g h j k l m r s t", "a e i o u ø å", "l n r s -", "rik bjørn gerd a ulf", (1, 1)),
        latin(
            "b br d f g h k l m r s st t",
            "a e i o u ø å ö",
            "ck l n nd r st",
            "sen gård qvist lund rud",
            (1, 1),
        ),
    ),
    Culture(
        "Polish",
        latin("b cz d g j k l m p r st w z", "a e i o u", "l n r -", "sław mir ek ena ina", (1, 2)),
        latin(
            "b br cz d g j k ł m p r sz w ż",
            "a e ę i o ó u",
            "cz k l n r ś ź -",
            "owski icka ński czyk iak",
            (1, 2),
        ),
    ),
    Culture(
        "Czech",
        latin("b d h j k l m p r s t v z", "a á e i í o u", "l n r š -", "mil slav ka an ěj", (1, 2)),
        latin("b č d h j k l m p r ř š t v z", "a á e ě i í o ů", "l n r -", "ček ák ová ka ný", (1, 2)),
    ),
    Culture(
        "Serbian",
        latin("b d g j l m n r s v z", "a e i o u", "l n r š -", "slav ko ica imir ana", (1, 2)),
        latin("b č d đ g j k l m n p r s š v ž", "a e i o u", "l n r -", "ović ević ić", (1, 2)),
    ),
    Culture(
        "Turkish",
        latin("b c d e g h k m n o s t y z", "a e ı i u ü ö", "l n r y -", "kan han gül ay can", (1, 1)),
        latin("b ç d g k m s ş t y", "a e ı i u ü ö", "l n r z k -", "oğlu er lı taş çi demir", (1, 1)),
    ),
    Culture(
        "Russian",
        cyrillic(
            "ар бор вал гле дмит жан зах и кир лев мар ник олег пет рус сев тим фед хар юр яр",
            "ий ей - ан ил слав",
        ),
        cyrillic(
            "бар вол гор жук зуб кар лом мор нов пуш руж сух тюр чер шум щук хом цвет яз юд",
            "ов ский ин ев енков ых",
        ),
        (0, 1),
    ),
    Culture(
        "Ukrainian",
        cyrillic("ан бог вас дан зен ів кос люб мик ост пав ром тар юхи", "ло ій ина ко слав"),
        cyrillic("бой вер гон дор жур кова лис мель онищ пали савч тищ хмель цим ши", "енко ук чук ський ій"),
        (0, 1),
    ),
    Culture(
        "Greek",
        greek("αλεξ αρισ γεωρ δημη ελευ ζαχ θεο κων λεων μιλ νικ παν σταυ φιλ χαρ", "ος ης ια ας"),
        greek(
            "βασ γαλ δημ ζερ καλ λαμπ μαυρ νικ ξεν παπ ραλ σαρ τσακ φωτ χρισ ψαρ", "οπουλος ιδης ακης ατος ου"
        ),
    ),
    Culture("Arabic", arabic(article=0), arabic(article=0.6, suffix="- - - ī"), (0, 2)),
    Culture(
        "Persian",
        latin("b d f gh h j k kh m n p r s sh z", "a e i o u", "r n sh -", "zad mand yar in oush", (1, 1)),
        arabic(article=0, suffix="ī"),
    ),
    Culture(
        "SouthAsian",
        latin("b bh d g h j k m n p r s sh v", "a e i u aa", "n r sh -", "it endra esh ita ani", (1, 2)),
        latin("b bh ch d g j k m n p r s v", "a e i u", "n r tt -", "kar wal jee deep ani pati", (1, 2)),
        (0, 1),
    ),
    Culture("Chinese", chinese((2, 2)), chinese((1, 1)), (0, 0)),
    Culture(
        "Korean",
        latin("ch d g h j k m s t y", "a eo i o u ye", "n ng k l -", "ho min su jin ung", (1, 1)),
        latin("b ch g h j k m n p r s y", "a eo i o u", "k m n ng", "-", (1, 1)),
        (0, 0),
    ),
    Culture(
        "Vietnamese",
        latin("b ch d h kh l ng ph th tr v", "a á ạ ả ế ể ơ ư ứ ị", "n ng nh c -", "-", (1, 1)),
        latin("b d đ h l m ng ph tr v", "á ă ê ế ô ơ ư ũ", "n ng m -", "-", (1, 1)),
        (1, 2),
    ),
    Culture(
        "African",
        latin("b ch d f k l m mb n nd ng s t z", "a e i o u", "-", "we mba so la ndo ti", (2, 2)),
        latin("b ch d g k l m mb mw n nd ng ny s t", "a e i o u", "-", "kwe nga sha mbe tu ya", (2, 3)),
        (0, 1),
    ),
    Culture(
        "Georgian",
        latin("b d g k l m n t v z", "a e i o u", "-", "ri ka ano vi ar", (1, 2)),
        latin("b ch d dz g k kh l m ts zh", "a e i o u", "-", "shvili dze ia ava uri", (1, 2)),
    ),
)

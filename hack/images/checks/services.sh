# The services' image: its user, its code with bytecode for all of it, and every command that the charts start.
[ "$(id -u):$(id -g)" = 10001:10001 ]
[ "$PWD" = /app ]
python3 - <<'PY'
import importlib.util, pathlib
files = [path for folder in ("/app/src", "/app/site-packages") for path in pathlib.Path(folder).rglob("*.py")]
bare = [path for path in files if not pathlib.Path(importlib.util.cache_from_source(str(path))).exists()]
assert files and not bare, f"without bytecode: {bare[:3]} and {len(bare)} in all"
import payments.migrate, payments.run, payments.topics
PY
# Without its settings a service says which one is missing, and ends.
! python3 -m payments.run > /tmp/run.log 2>&1
grep -q SERVICE /tmp/run.log

from hack.kind.cli import main

raise SystemExit(main())

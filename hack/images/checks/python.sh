# The interpreter and what the services need of the system.
[ "$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')" = 3.13 ]
[ "$(command -v python3)" = /usr/local/bin/python3 ]
python3 - <<'PY'
import ctypes, lzma, os, sqlite3, ssl, zoneinfo
assert ssl.create_default_context().get_ca_certs(), "no CA certificates"
assert zoneinfo.ZoneInfo("Europe/Berlin").key, "no time zones"
PY

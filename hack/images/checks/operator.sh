# The operator's image: its user, its code with bytecode, a helm that runs without a libc, the chart that it renders.
[ "$(id -u):$(id -g)" = 10001:10001 ]
[ "$PWD" = /app ]
export HOME=/tmp
helm version --short > /tmp/version
grep -q '^v3\.' /tmp/version
helm template sample /charts/payment-platform --namespace sample --kube-version 1.34.0 > /tmp/rendered.yaml
grep -q '^kind: Deployment' /tmp/rendered.yaml
python3 - <<'PY'
import importlib.util, pathlib
files = [path for folder in ("/app/src", "/app/site-packages") for path in pathlib.Path(folder).rglob("*.py")]
bare = [path for path in files if not pathlib.Path(importlib.util.cache_from_source(str(path))).exists()]
assert files and not bare, f"without bytecode: {bare[:3]} and {len(bare)} in all"
import payment_operator.main, payment_operator.credentials
PY

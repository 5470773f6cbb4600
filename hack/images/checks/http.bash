# http METHOD PORT PATH [BODY [HEADER…]]: asks a server on this host, prints the answer's body; fails unless it is 2xx.
# The images have no curl. HTTP/1.0, so that the body comes as it is, up to the end of the connection.
http() {
    local method=$1 port=$2 path=$3 body=${4-} status
    local headers=("Host: localhost:$port" "Content-Length: $(printf %s "$body" | wc -c)" "${@:5}")
    { exec 9<> "/dev/tcp/127.0.0.1/$port"; } 2> /dev/null || return 1
    { printf '%s %s HTTP/1.0\r\n' "$method" "$path"; printf '%s\r\n' "${headers[@]}"; printf '\r\n%s' "$body"; } >&9
    IFS= read -r -t 30 status <&9 || return 1
    timeout 30 sed '1,/^\r$/d' <&9
    exec 9>&-
    [[ $status == "HTTP/1."?" 2"* ]]
}
# await SECONDS PATTERN COMMAND…: repeats the command until it succeeds and its output has the pattern; keeps that in
# /tmp/answer, and shows it when the time is over.
await() {
    local end=$((SECONDS + $1)) pattern=$2
    until "${@:3}" > /tmp/answer && grep -q -- "$pattern" /tmp/answer; do
        [ $SECONDS -lt $end ] || { cat /tmp/answer >&2; return 1; }
        sleep 0.3
    done
}

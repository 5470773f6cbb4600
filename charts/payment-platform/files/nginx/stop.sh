#!/bin/sh
# New connections may still come until every node knows that this pod is going; then requests under way end.
: >/tmp/nginx/stopping
sleep 5
nginx -c /etc/payment-platform/nginx/nginx.conf -e /dev/stderr -s quit
# SIGTERM follows when this script ends and would cut off what is left.
while kill -0 1 2>/dev/null; do sleep 0.2; done

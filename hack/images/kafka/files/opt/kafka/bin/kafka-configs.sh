#!/bin/bash
set -eu
exec "$(dirname "$0")/kafka-run-class.sh" kafka.admin.ConfigCommand "$@"

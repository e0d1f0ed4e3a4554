# Sourced by the entry points of all services: strict mode, secrets, and the folder for rendered configuration.
# shellcheck shell=bash
set -euo pipefail

# Rendered configuration holds secrets: nobody but this user reads it. /tmp is gone with the container, or is in memory.
umask 077
rendered=/tmp/galewatch
rm -rf "${rendered}"
mkdir "${rendered}"

# fail MESSAGE: ends the start with one sentence.
fail() {
  echo "galewatch: $*" >&2
  exit 64
}

# secret NAME: prints the secret. Only the characters that need no escaping in any of the configuration formats.
secret() {
  local file="/run/galewatch/secrets/$1" value
  [ -r "${file}" ] || fail "the secret $1 is missing: ${file} cannot be read"
  value="$(< "${file}")"
  [[ "${value}" =~ ^[A-Za-z0-9_=-]+$ ]] || fail "the secret $1 (${file}) must be letters, digits, _, = or -, and not empty"
  printf '%s' "${value}"
}

# require VALUE PATTERN NAME: VALUE of the environment variable NAME must match PATTERN in full.
require() {
  [[ "$1" =~ ^($2)$ ]] || fail "$3 is \"$1\", which does not match $2"
}

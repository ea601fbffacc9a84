#!/usr/bin/env bash
# Installs the Debian package, starts what it installed as its unit would, uses it, removes it. For a machine that may be
# changed, as root: `make test-package`.
set -euo pipefail
cd "$(dirname "$0")/.."
package=$(ls -t target/debian/pusher-lite_*.deb | head -1)
unit=/usr/lib/systemd/system/pusher-lite.service
state=/var/lib/pusher-lite
port=4077

say() { printf '  %s\n' "$*"; }
fail() { printf 'test-package: %s\n' "$*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || fail 'wants to install a package: run it as root'
[ ! -e $state ] || fail "$state is there already: this is not a machine to test on"

server=
cleanup() {
  if [ -n "$server" ]; then kill -KILL "$server" 2>/dev/null || true; fi
  dpkg --purge pusher-lite >/dev/null 2>&1 || true
  rm -rf $state
  deluser --quiet --system pusher-lite >/dev/null 2>&1 || true
}
trap cleanup EXIT

dpkg --install "$package" >/dev/null
say "installed: $(pusher-lite --version)"
[ "$(stat -c '%U %a' $state)" = 'pusher-lite 700' ] || fail "$state: $(stat -c '%U %a' $state)"
for file in $unit /etc/pusher-lite/pusher-lite.toml /usr/share/doc/pusher-lite/operating.md; do
  [ -f $file ] || fail "$file is missing"
done
settings=/etc/pusher-lite/pusher-lite.toml
[ "$(stat -c '%U %G %a' $settings)" = 'root pusher-lite 640' ] || fail "$settings: $(stat -c '%U %G %a' $settings)"
pusher-lite --config $settings config check >/dev/null
[ -z "$(ls -A $state)" ] || fail "checking the settings left $(ls -A $state) to root"
if command -v systemd-analyze >/dev/null; then
  systemd-analyze verify $unit
  exposure=$(systemd-analyze security --offline=true --no-pager pusher-lite.service | tail -1)
  say "systemd-analyze security:${exposure#*:}"
  systemd-analyze security --offline=true --threshold=20 --no-pager pusher-lite.service >/dev/null || fail 'the unit is too open'
fi

# As the unit would: its user, its settings, its command, its folder.
in_unit() { sed -n "s/^$1=//p" $unit; }
setting=$(in_unit Environment)
run() { env -i "$setting" PORT=$port setpriv --reuid pusher-lite --regid pusher-lite --clear-groups --no-new-privs "$@"; }
start() {
  # shellcheck disable=SC2046 # the command and its arguments
  (cd "$(in_unit WorkingDirectory)" && exec env -i "$setting" PORT=$port \
    setpriv --reuid pusher-lite --regid pusher-lite --clear-groups --no-new-privs $(in_unit ExecStart)) >"$1" 2>&1 &
  server=$!
  for _ in $(seq 100); do
    if run pusher-lite health >/dev/null 2>&1; then return; fi
    kill -0 $server 2>/dev/null || { cat "$1" >&2; fail 'the server has ended'; }
    sleep 0.1
  done
  cat "$1" >&2
  fail 'the server is not ready'
}
stop() {
  kill -TERM "$server"
  wait "$server" || fail "the server ended with $?"
  server=
}

log=$(mktemp)
start "$log"
say "started: $(run pusher-lite health)"
run pusher-lite user create --email package@example.com >/dev/null
token=$(run pusher-lite token create --user package@example.com)
backup=$state/backup.db
run pusher-lite backup $backup >/dev/null
[ "$(stat -c '%U %a' $backup)" = 'pusher-lite 600' ] || fail "$backup: $(stat -c '%U %a' $backup)"
stop
say 'stopped'

# Restoring, as docs/operating.md has it.
rm -f $state/pusher-lite.db $state/pusher-lite.db-wal $state/pusher-lite.db-shm
mv $backup $state/pusher-lite.db
start "$log"
answer=$(exec 3<>/dev/tcp/127.0.0.1/$port &&
  printf 'POST /api/sessions?token=%s HTTP/1.0\r\ncontent-length: 0\r\n\r\n' "$token" >&3 && head -1 <&3)
[[ $answer == *' 201 '* ]] || fail "the restored token is answered with $answer"
say 'restored'
stop

dpkg --install "$package" >/dev/null
dpkg --remove pusher-lite >/dev/null
[ ! -e /usr/bin/pusher-lite ] || fail 'the binary is still there'
[ -f /etc/pusher-lite/pusher-lite.toml ] || fail 'removing took the settings along'
[ -f $state/pusher-lite.db ] || fail 'removing took the data along'
dpkg --purge pusher-lite >/dev/null
[ ! -e /etc/pusher-lite/pusher-lite.toml ] || fail 'purging left the settings'
[ -f $state/pusher-lite.db ] || fail 'purging took the data along'
say 'removed'
rm -f "$log"

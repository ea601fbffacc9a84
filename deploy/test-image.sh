#!/usr/bin/env bash
# What can be said of the image without a docker engine: the files that its Dockerfile copies are there and sent, they are
# enough to build from, and what it runs exists. With an engine at hand, it is built and run as well.
set -euo pipefail
cd "$(dirname "$0")/.."
fail() { printf 'test-image: %s\n' "$*" >&2; exit 1; }

# Copies what the build stages copy into a folder of its own, and has cargo look through that.
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
sources() { sed -n 's/^COPY \(--from=[^ ]* \)\{0,1\}//p' deploy/Dockerfile | grep -v '^/build/' | sed 's/ [^ ]*$//'; }
for source in $(sources); do
  [ -e "$source" ] || fail "deploy/Dockerfile copies $source, which is not there"
  grep -qxF -e "!${source%%/*}" .dockerignore || fail ".dockerignore keeps ${source%%/*} from the engine"
done
# Cargo builds without its settings as well, and the allocator then keeps memory that it should give back.
sources | grep -qx -e '\.cargo/' -e '\.cargo/config\.toml' || fail 'deploy/Dockerfile leaves .cargo/config.toml out'
for source in Cargo.toml Cargo.lock build.rs json-text protocol migrations templates src; do cp -r "$source" "$context/"; done
mkdir -p "$context/assets"
cp -r assets/dist "$context/assets/"
cargo metadata --manifest-path "$context/Cargo.toml" --locked --offline --format-version 1 --no-deps >/dev/null ||
  fail 'what deploy/Dockerfile copies is no whole cargo project'
outside=$(grep -rhoE 'include_(str|bytes|dir)!\("[^"]*"' src json-text/src protocol/src | grep -c '\.\./\.\./\.\./' || true)
[ "$outside" = 0 ] || fail 'the sources include files from outside of what is copied'
version=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
grep -q "^FROM rust:$version-" deploy/Dockerfile || fail "deploy/Dockerfile builds with another Rust than $version"
sed -n 's/^HEALTHCHECK .*CMD \["pusher-lite", "\(.*\)"\]/\1/p' deploy/Dockerfile | grep -qx health || fail 'no health check'
grep -qx 'USER 10001:10001' deploy/Dockerfile || fail 'the image runs as root'
target/release/pusher-lite health --help >/dev/null || fail 'the health check is no command'

if docker info >/dev/null 2>&1; then
  docker build --quiet --file deploy/Dockerfile --tag pusher-lite:test . >/dev/null
  container=$(docker run --detach --rm pusher-lite:test)
  trap 'docker rm --force "$container" >/dev/null; rm -rf "$context"' EXIT
  for _ in $(seq 60); do
    state=$(docker inspect --format '{{.State.Health.Status}}' "$container")
    [ "$state" = healthy ] && break
    sleep 1
  done
  [ "$state" = healthy ] || fail "the container is $state"
  echo '  the image is built, and its container healthy'
else
  echo '  no docker engine here: the image was not built'
fi

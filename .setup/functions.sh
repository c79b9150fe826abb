# Shared by ./polarsim and ./test: installing the packages of packages.txt and building a preset. POSIX sh.
# The caller has set `root` to the project's folder.

say() { printf '%s\n' "polarsim: $*" >&2; }

# Runs a command whose output matters only if it fails; then the end of the output is shown.
quietly() {
  log=$1
  shift
  mkdir -p "$(dirname "$log")"
  if ! "$@" >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    say "failed: $* (all of its output: $log)"
    exit 3
  fi
}

packages() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$root/.setup/packages.txt"; }

missing_packages() {
  for package in $(packages); do
    status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
    [ "$status" = "install ok installed" ] || printf '%s ' "$package"
  done
}

install_packages() {
  missing=$(missing_packages)
  [ -n "$missing" ] || return 0
  as_root=
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null 2>&1 || { say "needs these packages, and neither root nor sudo to install them: $missing"; exit 3; }
    as_root=sudo
  fi
  say "installing missing packages: $missing"
  export DEBIAN_FRONTEND=noninteractive
  quietly "$root/build/setup-update.log" $as_root apt-get update
  # shellcheck disable=SC2086
  quietly "$root/build/setup-install.log" $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
}

# build_preset PRESET TARGET...
build_preset() {
  preset=$1
  shift
  directory="$root/build/$preset"
  if [ ! -f "$directory/build.ninja" ]; then
    quietly "$root/build/configure-$preset.log" cmake -S "$root" --preset "$preset"
  fi
  quietly "$root/build/build-$preset.log" cmake --build "$directory" --target "$@"
}

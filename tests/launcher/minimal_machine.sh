#!/usr/bin/env bash
# A user's machine: a minimal Debian with Python's venv and nothing else, an ordinary user, a folder with a space and an
# umlaut, the C locale, an empty environment, no /dev/shm, no program may be started from /tmp. There: ./lab setup with umask
# 077, notebooks 00 to 02 (the last behind a proxy that does not answer), then two more users at once, who may only read that
# installation and have a LAB_HOME each; one of them without HOME and in a locale that is not installed. Needs root,
# debootstrap and Debian's packages: where they cannot be had it says so, which is no failure. Takes some six minutes.
set -euo pipefail
cd "$(dirname "$0")/../.."

skip() { echo "minimal machine: skipped, $1"; exit 0; }
[ "$(id -u)" = 0 ] || skip "only root can make one"
mirror=$(awk '$1 == "URIs:" { print $2; exit }' /etc/apt/sources.list.d/*.sources 2>/dev/null || true)
[ -n "$mirror" ] || mirror=$(awk '$1 == "deb" { print $2; exit }' /etc/apt/sources.list 2>/dev/null || true)
grep -qx ID=debian /etc/os-release && [ -n "$mirror" ] || skip "this system has no mirror of Debian's packages"
[ "$(df -Pm . | awk 'NR == 2 { print $4 }')" -ge 6000 ] || skip "it takes 6,000 MB of disk"
unshare --mount true 2>/dev/null || skip "this system lets nobody mount"
if ! command -v debootstrap >/dev/null; then
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq debootstrap; } >/dev/null 2>&1 ||
    skip "debootstrap cannot be installed"
fi

mkdir -p build
base=$(mktemp -d "$PWD/build/minimal-XXXXXX")
trap 'rm -rf --one-file-system "$base"' EXIT
root=$base/root folder="/srv/Kurs für alle/lab"
debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates trixie "$root" "$mirror" >"$base/log" 2>&1 ||
  skip "debootstrap ended with: $(tail -n 1 "$base/log")"

for user in teacher ann bob; do chroot "$root" useradd --create-home "$user"; done
cp /etc/resolv.conf /etc/hosts "$root/etc/"
certificates=/etc/ssl/certs/ca-certificates.crt # this machine's may name a proxy's
[ ! -e "$certificates" ] || cp -L "$certificates" "$root$certificates"
mkdir -p "$root$folder"
git -c safe.directory="$PWD" ls-files -z | tar -c --null -T - | tar -x --no-same-owner -C "$root$folder"
chroot "$root" chown -R teacher: "$(dirname "$folder")"

# As USER, in its home or the installation: a command, with nothing of this machine's environment but a proxy.
as() {
  local user=$1
  shift
  chroot --userspec="$user:$user" "$root" env -i HOME="/home/$user" PATH=/usr/bin:/bin LANG=C TERM=dumb \
    PIP_CERT="$certificates" NODE_EXTRA_CA_CERTS="$certificates" \
    ${HTTPS_PROXY:+HTTPS_PROXY="$HTTPS_PROXY"} ${HTTP_PROXY:+HTTP_PROXY="$HTTP_PROXY"} ${NO_PROXY:+NO_PROXY="$NO_PROXY"} \
    sh -c 'cd "$0" && exec "$@"' "$folder" "$@"
}

course() {
  mount -t tmpfs none "$root/dev"
  mount -t tmpfs -o mode=1777,noexec none "$root/tmp"
  for device in null zero full random urandom tty; do
    [ -e "$root/dev/$device" ] || : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
  done
  mount --bind /proc "$root/proc"
  as teacher sh -c 'umask 077 && exec ./lab setup'
  as teacher ./lab run 00
  as teacher ./lab run 01
  # Its language model needs a library that small systems lack, and is a server on this machine.
  as teacher env HTTP_PROXY=http://127.0.0.1:9 HTTPS_PROXY=http://127.0.0.1:9 ./lab run 02 --limit 6

  local python
  python=$(readlink -f "$root/usr/bin/python3") # from outside: the links in there are relative
  expect "export LAB_HOME=" as ann ./lab doctor
  chmod 700 "$python"
  expect "you may not run its Python" as ann ./lab doctor
  chmod 755 "$python"
  chmod 700 "$root$folder/lib/cli"
  expect "lib/cli: ask its owner for chmod -R go+rX" as ann ./lab doctor
  chmod 755 "$root$folder/lib/cli"
  for user in ann bob; do
    local odd=()
    [ "$user" = bob ] || odd=(-u HOME LC_ALL=tr_TR.UTF-8)
    (
      as "$user" env "${odd[@]}" LAB_HOME="/home/$user/my lab" ./lab doctor >/dev/null
      as "$user" env "${odd[@]}" LAB_HOME="/home/$user/my lab" ./lab run 00
    ) &
  done
  wait -n
  wait -n
  for user in ann bob; do
    [ "$(stat -c %a "$root/home/$user/my lab/results/local/tiny/notebooks/00_start_here.ipynb")" = 600 ]
    open_as "$user"
  done
  local name=notebooks/00_start_here.ipynb
  echo >>"$root/home/ann/my lab/$name" # ann saves hers,
  echo >>"$root$folder/$name" # and an update brings another, with two lines more
  echo >>"$root$folder/$name"
  grep -qF "has new ones: 00_start_here.ipynb" <<<"$(open_as ann)"
  open_as bob
  [ "$(wc -l <"$root/home/ann/my lab/$name")" -lt "$(wc -l <"$root$folder/$name")" ]
  cmp "$root/home/bob/my lab/$name" "$root$folder/$name"
  [ -z "$(find "$root$folder" ! -uid "$(stat -c %u "$root$folder")")" ] # nobody else wrote there
}

# What ./lab open does for USER before JupyterLab starts.
open_as() { as "$1" env LAB_HOME="/home/$1/my lab" ./lab open --version 2>&1; }

# expect TEXT COMMAND...: the command fails and says TEXT.
expect() {
  local text=$1 said
  shift
  if said=$("$@" 2>&1); then echo "succeeded: $*"; return 1; fi
  grep -qF "$text" <<<"$said" || { echo "expected \"$text\", found: $said"; return 1; }
}

export root folder certificates
export -f as course expect open_as
unshare --mount --propagation private bash -euo pipefail -c course ||
  { echo "minimal machine: failed"; exit 1; }
echo "minimal machine: set-up, notebooks 00 to 02 and two users of one installation in $SECONDS s"

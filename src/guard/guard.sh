#!/bin/sh
# Puts a node back when nobody confirms a change in time: the agent dead, hung or cut off, the API server gone.
#   guard.sh FOLDER            watches over FOLDER until SIGTERM; a second one waits until the first has gone
#   guard.sh FOLDER settled    ends as soon as nothing is armed, or where another one watches
#   guard.sh FOLDER once       does what is due now, and ends
#
# Plain POSIX shell, and what Debian and BusyBox both have: awk, flock, mkfifo, mv, rm, sha256sum, sleep. It waits in the kernel,
# on a pipe, and polls only while something is armed.
#
# Folders below FOLDER say whose turn it is; each step is one rename, so two can never both have taken it:
#   armed         the agent's, made ready as `arming`; what brings the node back, and until when it may be confirmed
#   rolling-back  the guard's, from `armed`; found at start, it was killed on the way and does all of it again
#   rolled-back   the agent's again: whom to charge with it
# Markers in them are files renamed from `.NAME` to `NAME`: no step of a roll-back needs room on the disk.
#   seen (by the guard, before anything is applied), applied, asked (by the agent); expired, stopped, rebooted, damaged (why), opened
set -u
umask 077
LC_ALL=C
PATH=/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin
export LC_ALL PATH

folder=${1:?usage: guard.sh FOLDER [settled|once]}
mode=${2:-forever}
stopping=

say() {
  echo "guard: $*" >&2
}

mark() {
  mv ".$1" "$1" 2>/dev/null
}

# Sets `uptime`: seconds since boot, which no change of the clock moves (proc(5): CLOCK_BOOTTIME).
read_uptime() {
  read -r uptime _ </proc/uptime
  uptime=${uptime%%.*}
}

# Sets `boot`: changes with each boot.
read_boot() {
  read -r boot </proc/sys/kernel/random/boot_id
}

# Reads the saved rules of now, then those of before, and gives what iptables-restore --noflush makes the rules of before of: our
# hooks of now go by their text, our chains are written anew, those of which nothing was known before go. With `none`: all go.
# shellcheck disable=SC2016 # awk's own variables
TO_BEFORE='
  function drop_unwanted(table,  count, names, i) {
    count = split(ours[table], names, " ")
    for (i = 1; i <= count; i++) if (!((table, names[i]) in wanted)) print "-F " names[i]
    for (i = 1; i <= count; i++) if (!((table, names[i]) in wanted)) print "-X " names[i]
  }
  /^\*/ { table = substr($0, 2) }
  pass == 1 {
    if (/^# Table `(mangle|filter)/ || /^FAILED$/) { print "cannot be read"; failed = 1; exit }
    if (/^:PH-/) ours[table] = ours[table] " " substr($1, 2)
    else if (/^-A / && !/^-A PH-/ && / --comment "?port-hardening"?( |$)/) hooks[table] = hooks[table] "-D" substr($0, 3) "\n"
    next
  }
  /^:/ { wanted[table, substr($1, 2)] = 1 }
  /^COMMIT/ { drop_unwanted(table) }
  { print }
  /^\*/ { printf "%s", hooks[table] }
  END {
    if (!none || failed) exit
    for (table in ours) {
      print "*" table
      printf "%s", hooks[table]
      drop_unwanted(table)
      print "COMMIT"
    }
  }
'

# restore_rules iptables|ip6tables FILE
restore_rules() {
  { "$1-nft-save" || echo FAILED; } 8<&- 9>&- | awk "$TO_BEFORE" pass=1 - pass=2 "$2" 8<&- 9>&- |
    "$1-nft-restore" --noflush 8<&- 9>&-
}

# Whatever the rules were: none of ours is better than a node that nobody reaches.
remove_rules() {
  for tools in iptables ip6tables; do
    { "$tools-nft-save" || echo FAILED; } 8<&- 9>&- | awk -v none=1 "$TO_BEFORE" pass=1 - 8<&- 9>&- |
      "$tools-nft-restore" --noflush 8<&- 9>&-
  done
  nft delete table inet porthardening 2>/dev/null 8<&- 9>&-
}

# Rules, sets and table of before, in the order in which no step needs a later one. Fails where the rules are not as before.
restore_kernel() {
  [ ! -e sets.before ] || ipset -exist restore <sets.before 8<&- 9>&-
  [ ! -e nft.before ] || nft -f nft.before 8<&- 9>&-
  restore_rules iptables rules.4 || return 1
  restore_rules ip6tables rules.6 || return 1
  [ ! -e nft.after ] || nft -f nft.after 8<&- 9>&-
  [ ! -e sets.after ] || destroy_sets
  return 0
}

# The rules' destructors run behind the restore, in the kernel's own time: until then a set counts as used.
destroy_sets() {
  while read -r name; do
    for pause in 0 1 1; do
      sleep "$pause" 8<&- 9>&-
      ipset list -n "$name" >/dev/null 2>&1 8<&- 9>&- || break
      ipset destroy "$name" 2>/dev/null 8<&- 9>&- && break
    done
  done <sets.after
}

# Paths below /proc/sys, each with its value.
restore_sysctls() {
  [ ! -e sysctls ] || while read -r key value; do
    printf '%s\n' "$value" >"/proc/sys/$key"
  done <sysctls
}

# Numbers with paths: file.NUMBER is the content; without one there was no such file.
restore_files() {
  [ ! -e files ] || while read -r number path; do
    if [ -e "file.$number" ]; then
      cp "file.$number" "$path.rolled-back" && mv "$path.rolled-back" "$path"
    else
      rm -f "$path"
    fi
  done <files
}

# A writer that hung on its way would go on where it was, behind the roll-back. Whoever has not come to the end of a change until
# its deadline is not trusted with it any more; what it has started goes with it.
stop_writer() {
  [ ! -e applied ] || return 0
  read -r pid started <writer || return 0
  read -r line 2>/dev/null <"/proc/$pid/stat" || return 0
  # shellcheck disable=SC2086 # words, from the third field on; the name before may hold anything
  set -- ${line##*) }
  [ "${20:-}" = "$started" ] || return 0
  children=
  read -r children 2>/dev/null <"/proc/$pid/task/$pid/children"
  say "the agent (process $pid) did not come to the end of its change: killing it"
  # shellcheck disable=SC2086 # a list of numbers
  kill -9 "$pid" $children 2>/dev/null
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    read -r line 2>/dev/null <"/proc/$pid/stat" || return 0
    case ${line##*) } in Z* | X*) return 0 ;; esac
    sleep "$tick" 8<&- 9>&-
  done
}

# All of `rolling-back`, whatever has been done of it before.
roll_back() {
  cd rolling-back || return 1
  # Nothing is applied before it is seen.
  if [ -e seen ]; then restore; fi
  cd ..
  rm -rf rolled-back
  mv rolling-back rolled-back
  say "rolled back"
}

restore() {
  read_boot
  whole=1
  sha256sum -c sums >/dev/null 2>&1 8<&- 9>&- || whole=
  read -r armed_boot <boot && [ -n "$whole" ] || armed_boot=$boot
  if [ "$armed_boot" = "$boot" ]; then stop_writer; fi
  # A person took the node out of our hands: nothing of ours comes back, and nobody is charged with it.
  if [ -e ../../disengaged ]; then
    say "this node is disengaged: removing our rules"
    if [ "$armed_boot" = "$boot" ]; then remove_rules; fi
    mark stopped
    return
  fi
  if [ -n "$whole" ]; then
    restore_sysctls
    restore_files
  fi
  # Rules do not outlive a boot: the agent writes those that were confirmed.
  if [ "$armed_boot" = "$boot" ]; then
    tries=0
    until [ -n "$whole" ] && restore_kernel; do
      tries=$((tries + 1))
      if [ -z "$whole" ] || [ "$tries" -ge 3 ]; then
        say "what was there cannot be restored: removing our rules, so that the node can be reached"
        remove_rules
        mark opened
        break
      fi
      sleep 1 8<&- 9>&-
    done
  fi
}

# Sets `why` where what is armed is to be rolled back now.
due() {
  read_boot
  read -r armed_boot 2>/dev/null <armed/boot || armed_boot=$boot
  read_uptime
  # Without its line end it was cut.
  read -r deadline 2>/dev/null <armed/deadline || deadline=
  case $deadline in *[!0-9]*) deadline= ;; esac
  if [ "$armed_boot" != "$boot" ]; then why=rebooted
  elif [ -e armed/asked ]; then why=asked
  elif [ -n "$stopping" ]; then why=stopped
  elif [ -z "$deadline" ]; then why=damaged
  elif [ "$uptime" -ge "$deadline" ]; then why=expired
  else return 1
  fi
}

# Says that it has the roll-back, whole: nothing is applied before.
accept() {
  (cd armed && sha256sum -c sums >/dev/null 2>&1 && mark seen) 8<&- 9>&-
}

# Confirming takes the folder away by the same rename: whoever comes first has decided.
take() {
  mv armed rolling-back 2>/dev/null || return 0
  say "not confirmed ($1): rolling back"
  (cd rolling-back && mark "$1")
}

mkdir -p "$folder" && cd "$folder" || exit 1
[ -p wake ] || { rm -f wake && mkfifo wake; } || exit 1
exec 8<>wake 9>lock
case $mode in
once) flock -w 2 9 ;;
settled) flock -w 1 9 || exit 0 ;;
*) flock 9 ;;
esac
trap 'stopping=1' TERM INT HUP
if sleep 0.01 2>/dev/null; then tick=0.2; else tick=1; fi
say "watching $folder"

while :; do
  if [ -d rolling-back ]; then
    roll_back
  elif [ -d armed ]; then
    [ -e armed/seen ] || accept
    if due; then
      take "$why"
    elif [ "$mode" = once ]; then
      exit 0
    else
      sleep "$tick" 8<&- 9>&-
    fi
  elif [ "$mode" != forever ] || [ -n "$stopping" ]; then
    exit 0
  else
    read -r _ <&8
  fi
done

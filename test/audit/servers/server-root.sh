#!/bin/sh
# Runs a program of the extracted packages in a root of its own, in the mount namespace that this script was started in
# (unshare --mount): nothing of it is seen outside, and nothing outlives the program.
#   unshare --mount sh server-root.sh SERVERS FOLDER USER PROGRAM [ARGUMENT...]
# SERVERS is where scripts/setup.sh extracted the packages; FOLDER is seen as /lab, everything else is fresh. The machine's
# /usr lies beneath the packages', for the libraries that it has already.
set -eu
servers=$1 folder=$2 user=$3
shift 3
root=$folder/root
mkdir -p "$root"
mount -t tmpfs none "$root"
for name in usr etc var run tmp dev proc root lab; do mkdir "$root/$name"; done
for name in bin sbin lib lib64; do ln -s "usr/$name" "$root/$name"; done
chmod 1777 "$root/tmp"
mount -t overlay none -o "lowerdir=$servers/usr:/usr" "$root/usr"
mount --bind "$folder" "$root/lab"
mount --rbind /dev "$root/dev"
mount --rbind /proc "$root/proc"
cp -R "$servers/etc/." "$root/etc/"
cp /etc/services /etc/protocols /etc/nsswitch.conf "$root/etc/" 2>/dev/null || true
number=900
printf 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\nshadow:x:42:\n' >"$root/etc/group"
for name in www-data sshd postfix postdrop postgres mysql redis memcache ftp; do
  printf '%s:x:%s:%s::/run/%s:/bin/sh\n' $name $number $number $name >>"$root/etc/passwd"
  printf '%s:x:%s:\n' $name $number >>"$root/etc/group"
  number=$((number + 1))
done
mkdir -p "$root/run/sshd" "$root/var/run/vsftpd/empty" "$root/var/log/nginx" "$root/var/lib/nginx" \
  "$root/var/spool/postfix" "$root/var/lib/postfix"
# All in /lab is the program's own: its keys, and /lab/data, where it may write.
mkdir -p "$folder/data"
chroot "$root" sh -c "chown $user /lab/data /lab/*.key && chown postfix /var/lib/postfix"
exec chroot --userspec="$user" "$root" env -i PATH=/usr/sbin:/usr/bin:/lab/bin HOME=/tmp LC_ALL=C "$@"

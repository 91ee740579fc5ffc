/**
 * What runs between `unshare` and the host, in the new namespaces and still with their privileges. It replaces itself by the host
 * (exec), so the process number the supervisor holds is the host's own and a kill reaches it.
 *
 * Arguments: mount tool or '' for no mounts, scratch folder, what to make read-only ('nothing', 'others': all but the scratch folder, 'all'),
 * number of hidden paths, the hidden paths, then the command.
 * - A hidden folder is covered by an empty tmpfs, a hidden file by /dev/null.
 * - The scratch folder may lie in a hidden one: it is held open and bound back into its place.
 * - /proc and /sys become read-only too: uid 0 may write kernel settings such as core_pattern without any capability.
 * - mount -n: it would note what it did in /run/mount, which is the hidden thing's inside by then.
 * - oom_score_adj: the kernel ends a host before the supervisor. coredump_filter 0: a core file would hold pictures.
 * Exit codes 91 to 95 name the step that failed.
 */
export const SANDBOX_SCRIPT = `
mount_tool=$1 scratch=$2 readonly=$3 hidden=$4
shift 4
{ echo 900 > /proc/self/oom_score_adj; } 2>/dev/null
{ echo 0 > /proc/self/coredump_filter; } 2>/dev/null
if [ -z "$mount_tool" ]; then
  shift "$hidden"
  exec "$@"
fi
exec 8< "$scratch" || exit 91
while [ "$hidden" -gt 0 ]; do
  if [ -d "$1" ]; then
    "$mount_tool" -n -t tmpfs -o size=64k,mode=755,nosuid,nodev,noexec homeward-hidden "$1" || exit 92
  elif [ -e "$1" ]; then
    "$mount_tool" -n --bind /dev/null "$1" || exit 93
  fi
  shift
  hidden=$((hidden - 1))
done
mkdir -p "$scratch" && "$mount_tool" -n -c --bind /proc/self/fd/8 "$scratch" || exit 94
exec 8<&-
if [ "$readonly" != nothing ]; then
  while read -r _ _ _ _ point options rest; do
    case "$options" in ro|ro,*) continue ;; esac
    case "$point" in /sys/fs/cgroup*|/dev/pts) continue ;; esac
    case "$point" in *\\\\*) point=$(printf %b "$point") ;; esac
    [ "$readonly" = others ] && [ "$point" = "$scratch" ] && continue
    "$mount_tool" -n -o remount,bind,ro "$point" || exit 95
  done < /proc/self/mountinfo
fi
exec "$@"
`;

/**
 * Run in place of a host when the fleet starts, to prove what the sandbox keeps away rather than believe it: prints the network and
 * mount namespaces it is in, then for each path given how many names can be seen there.
 */
export const PROOF_SCRIPT = `
readlink /proc/self/ns/net /proc/self/ns/mnt
for place in "$@"; do
  if [ -d "$place" ]; then
    seen=0
    for name in "$place"/* "$place"/.[!.]*; do [ -e "$name" ] && seen=$((seen + 1)); done
    echo "$seen"
  elif [ -s "$place" ]; then echo 1
  else echo 0
  fi
done
`;

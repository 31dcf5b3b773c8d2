# Stops the servers of every account below a folder and removes the folder, once standard input ends.
read -r word
for pid in "$0"/*/*/databases/*/data/postmaster.pid; do
  [ -e "$pid" ] && kill -QUIT "$(head -n 1 "$pid")"
  tries=0
  while [ -e "$pid" ] && [ $((tries += 1)) -lt 100 ]; do sleep 0.05; done
done
rm -rf "$0"

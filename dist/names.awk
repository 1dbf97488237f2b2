# Names of functions without what differs between compilers and builds: hashes, and numbers of the linker.
#
# With one file, or none: the names. With two: those of the second, as they are, whose name is one of the first.

function plain(name) {
  sub(/\.llvm\.[0-9]+$/, "", name)
  sub(/17h[0-9a-f]+E$/, "E", name)
  if (name ~ /^_R/) gsub(/Cs[0-9A-Za-z]+_/, "C", name)
  return name
}

ARGC < 3 { print plain($0); next }
NR == FNR { listed[$0]; next }
plain($0) in listed

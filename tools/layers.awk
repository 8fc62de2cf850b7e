# Checks includes against tools/layers.txt, which is the first file; see there.

function fail(text) {
	print FILENAME ":" FNR ": " text
	bad = 1
}
function glob(path, pattern) {
	if (pattern ~ /\*$/) return index(path, substr(pattern, 1, length(pattern) - 1)) == 1
	return path == pattern
}
function among(path, list,    i, n, each) {
	n = split(list, each, " ")
	for (i = 1; i <= n; i++)
		if (glob(path, each[i])) return 1
	return 0
}
function own_header(target,    n, file) {
	if (target == from) return
	if (!(target in known)) {
		fail("includes \"" header "\": " target " is no folder of tools/layers.txt")
		return
	}
	if (index(" " may[from] " ", " " target " ") == 0) {
		fail("includes \"" header "\": " from " may not include " target)
		return
	}
	if (target == "base" || target == "model" || header == target "/" target ".h") return
	if (!(header in open)) fail("includes \"" header "\": from outside only " target "/" target ".h")
}

FNR == 1 && NR > 1 {
	reading = 0
	path = FILENAME
	n = split(path, part, "/")
	from = part[1] == "src" ? part[2] : part[1]
	whole = path == "src/main.c"
	if (!whole && !(from in known)) fail("folder " from " is not in tools/layers.txt")
}
NR == 1 { reading = 1 }
reading && (/^#/ || /^$/) { next }
reading && /^\[/ { section = $1; next }
reading && section == "[folders]" {
	known[$1] = 1
	rest = $0
	sub(/^[^:]*:[ ]*/, "", rest)
	may[$1] = rest
	next
}
reading && section == "[open]" { open[$1] = 1; next }
reading && section == "[owner]" {
	rest = $0
	sub(/^[^:]*:[ ]*/, "", rest)
	owner[$1] = rest
	next
}
reading && section == "[pure]" { pure = pure " " $1; next }
reading && section == "[locks]" { locks = locks " " $1; next }

/^[ \t]*#[ \t]*include[ \t]*"/ {
	split($0, quoted, "\"")
	header = quoted[2]
	if (header !~ /\//) {
		fail("includes \"" header "\": name the folder too")
		next
	}
	split(header, part, "/")
	if (!whole) own_header(part[1])
}
/^[ \t]*#[ \t]*include[ \t]*</ {
	header = $0
	sub(/^[^<]*</, "", header)
	sub(/>.*/, "", header)
	for (library in owner)
		if (index(header, library) == 1 && !among(path, owner[library]))
			fail("includes <" header ">, which belongs to " owner[library])
	if (among(path, pure) && header ~ /^(unistd\.h|pthread\.h|sys\/)/)
		fail("includes <" header ">: here things are decided, not done")
}
/pthread_(mutex|rwlock|spin)_/ && !among(path, locks) { fail("a lock outside of" locks) }

END { exit bad }

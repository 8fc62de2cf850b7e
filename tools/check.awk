# Measures C as this tree writes it (a function's braces at column 0, tabs): the length, nesting and
# parameters of every function, the length of every file. Prints what passes a limit, then the
# greatest of each. Limits: -v lines=60 -v nesting=4 -v parameters=6 -v file=500 -v columns=100

function fail(place, text) {
	print place ": " text
	bad = 1
}
function greatest(what, value, place) {
	if (value > most[what]) {
		most[what] = value
		where[what] = place
	}
}
# Commas at the first level of the last parenthesis that the head of a function opens.
function parameters_of(head,    i, c, depth, n) {
	n = head ~ /\((void)?\)[^)]*$/ ? 0 : 1
	for (i = index(head, "("); i <= length(head); i++) {
		c = substr(head, i, 1)
		if (c == "(") depth++
		else if (c == ")") depth--
		else if (c == "," && depth == 1) n++
		if (depth == 0) break
	}
	return n
}
function end_file() {
	if (name == "") return
	greatest("largest file", total, name)
	if (total > file) fail(name, total " lines, the limit is " file ": split it by idea")
}

# What a library calls has the parameters that the library says: libmicrohttpd's handler.
BEGIN { spared["on_request"] }
FNR == 1 {
	end_file()
	name = FILENAME
	inside = 0
	head = ""
}
{ total = FNR }
{
	wide = $0
	gsub(/\t/, "    ", wide)
	gsub(/[\200-\277]/, "", wide)
	if (length(wide) > columns)
		fail(name ":" FNR, length(wide) " columns, the limit is " columns)
}
/^\{/ && head ~ /\)[ \t]*$/ && head !~ /^(struct|enum|union)[^(]*$/ {
	inside = 1
	start = FNR
	level = 0
	deepest = 0
	match(head, /[a-zA-Z_0-9]+\(/)
	fn = substr(head, RSTART, RLENGTH - 1)
	n = fn in spared ? 0 : parameters_of(head)
	greatest("most parameters", n, name ": " fn)
	if (n > parameters) fail(name ":" FNR, fn " has " n " parameters, the limit is " parameters)
	next
}
inside && /^}/ {
	length_of = FNR - start + 1
	greatest("longest function", length_of, name ": " fn)
	greatest("deepest nesting", deepest, name ": " fn)
	if (length_of > lines) fail(name ":" start, fn " has " length_of " lines, the limit is " lines)
	if (deepest > nesting) fail(name ":" start, fn " nests " deepest " levels, the limit is " nesting)
	inside = 0
	head = ""
	next
}
inside && /^\t+(if|for|while|switch|do|else|\} else)( |$)/ {
	match($0, /^\t+/)
	if (RLENGTH > deepest) deepest = RLENGTH
	next
}
inside { next }
/^[a-zA-Z].*;[ \t]*$/ || /^$/ || /^[#}\/]/ || /^ \*/ { head = ""; next }
/^[a-zA-Z]/ { head = $0; next }
head != "" { head = head " " $0 }

END {
	end_file()
	n = split("longest function|deepest nesting|most parameters|largest file", order, "|")
	for (i = 1; i <= n; i++)
		printf "%-17s %4d  (%s)\n", order[i], most[order[i]], where[order[i]]
	exit bad
}

#!/bin/sh
# Cuts the fonts of the page out of Galmuri (https://galmuri.quiple.dev, OFL 1.1):
# what Latin text, the Hangul of KS X 1001 (2,350 syllables) and the signs of the
# page need. It writes assets/font/*.woff2 with the licence beside them, and
# font/stamp, which says what they were made of. It needs npm, and of Debian
# fonttools and python3-brotli; where the stamp is right it needs nothing.
set -eu
cd "$(dirname "$0")"

version=2.40.3
integrity='sha512-eXflXih1AWy2J+jWeT5sGVj4PUCb1bMK7lnwKDKMzEd3lx+F6myuxqp6c0eZlD7EMXOicUYaM+FH7DAoQ7mWbw=='
limit=65536 # bytes of one font
target=../assets/font

# stamp says what the fonts are made of, and what they are.
stamp() {
	sha256sum generate.sh characters.py
	(cd $target && sha256sum -- *)
}
if [ -e stamp ] && [ "$(stamp 2>/dev/null)" = "$(cat stamp)" ]; then
	exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

(cd "$work" && npm pack --silent "galmuri@$version" >/dev/null)
package=$work/galmuri-$version.tgz
found=sha512-$(openssl dgst -sha512 -binary "$package" | base64 -w 0)
if [ "$found" != "$integrity" ]; then
	echo "font/generate.sh: galmuri@$version is not the package it was: $found" >&2
	exit 1
fi
tar -xzf "$package" -C "$work"

# cut FONT [KIND] cuts the characters of a kind out of a font.
cut() {
	/usr/bin/python3 characters.py ${2+"$2"} >"$work/characters"
	/usr/bin/pyftsubset "$work/package/dist/$1.ttf" --text-file="$work/characters" \
		--flavor=woff2 --layout-features='' --no-hinting --desubroutinize \
		--output-file="$target/$1.woff2"
	size=$(wc -c <"$target/$1.woff2")
	if [ "$size" -gt "$limit" ]; then
		echo "font/generate.sh: $1.woff2 has $size bytes, more than $limit" >&2
		exit 1
	fi
}

mkdir -p "$target"
cut Galmuri7 latin # headings and names
cut Galmuri11-Bold hangul # headings in Korean, which seven pixels are too few for
cut Galmuri14 # sentences
cut GalmuriMono11 # logs
cp "$work/package/dist/LICENSE.txt" "$target/OFL.txt"
stamp >stamp

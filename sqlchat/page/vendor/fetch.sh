#!/usr/bin/env bash
# Fetches the libraries of the page from npm, with their licences. Two things differ from npm's files: the line that
# names a source map is left out, and the property `library` is written in brackets, which is the same to JavaScript.
set -euo pipefail
cd "$(dirname "$0")"
for package in vega@6.4.0 vega-lite@6.4.3 vega-embed@7.3.0; do
  name=${package%@*} version=${package#*@}
  folder=$(mktemp -d)
  archive=$(npm pack --silent --pack-destination "$folder" "$package")
  tar xzf "$folder/$archive" -C "$folder"
  sed -E -e '/^\/\/# sourceMappingURL=/d' -e 's/\b([a-z])\.(library)\b/\1["\2"]/g' \
    "$folder/package/build/$name.min.js" >"$name-$version.min.js"
  cp "$folder/package/LICENSE" "LICENSE.$name"
  rm -r "$folder"
done

#!/bin/sh
# httpd runs this for every request of the page.
cat <<END
Content-Type: text/html; charset=utf-8

<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Hello</title>
<link rel="stylesheet" href="/style.css">
<h1>Hello from ${PHONE:-a phone}</h1>
<p>This is an image for <b>${BUILT_FOR:-its own processor}</b>, running on <b>$(uname -m)</b>.
END

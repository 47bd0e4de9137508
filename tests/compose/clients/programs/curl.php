<?php
// SPDX-License-Identifier: MIT
// curl.php URL FOLDER - PHP's curl. An array has each key once, so the files of one name are file[0], file[1], ...
[, $url, $folder] = $argv;
$form = [];
$files = 0;
foreach (file("$folder/form.tsv", FILE_IGNORE_NEW_LINES) as $line) {
    $words = explode("\t", $line);
    if ($words[0] === 'file') {
        $form["{$words[1]}[" . $files++ . ']'] = new CURLFile($words[2], $words[4], $words[3]);
    } else {
        $form[$words[1]] = file_get_contents($words[2]);
    }
}
$curl = curl_init($url);
curl_setopt_array($curl, [CURLOPT_POSTFIELDS => $form, CURLOPT_RETURNTRANSFER => true, CURLOPT_TIMEOUT => 240]);
$answer = curl_exec($curl);
if ($answer === false) {
    fwrite(STDERR, curl_error($curl) . "\n");
    exit(1);
}
echo curl_getinfo($curl, CURLINFO_RESPONSE_CODE), "\n", $answer, "\n";

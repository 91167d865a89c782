<?php
// Reads INI as it stands: INI_SCANNER_RAW. One base64 text a line; one answer a line, the sections as JSON in base64, or ! where
// PHP reads nothing of it.
while (($line = fgets(STDIN)) !== false) {
    $sections = @parse_ini_string(base64_decode($line), true, INI_SCANNER_RAW);
    echo $sections === false ? '!' : base64_encode(json_encode($sections, JSON_FORCE_OBJECT)), "\n";
}

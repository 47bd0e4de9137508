<?php
// SPDX-License-Identifier: MIT
// PHP, behind its own server: php -S HOST:PORT index.php
require __DIR__ . '/../verify/penstock_signature.php';

const USERS = ['alice-cookie' => 'alice'];

$method = $_SERVER['REQUEST_METHOD'];
$target = $_SERVER['REQUEST_URI'];
$path = explode('?', $target)[0];
$id = $_SERVER['HTTP_X_REQUEST_ID'] ?? '';
$user = USERS[$_COOKIE['session'] ?? ''] ?? null;

function finish(int $status, string $text = ''): never
{
    http_response_code($status);
    header('Content-Type: text/plain');
    exit($text);
}

function is_there(PDO $db, string $table, string $id): bool
{
    $found = $db->prepare("SELECT 1 FROM $table WHERE request = ?");
    $found->execute([$id]);
    return (bool)$found->fetch();
}

if ("$method $path" === 'POST /sign-in') {
    setcookie('session', 'alice-cookie', ['httponly' => true, 'samesite' => 'Strict']);
    header('Location: /albums/7');
    finish(303);
}
if ($method === 'GET' && $path !== '/uploads/authorize') {
    $rows = (new PDO('sqlite:' . getenv('APP_DB')))->query('SELECT title, name FROM album JOIN photo USING (request) ORDER BY photo.rowid');
    $text = '';
    foreach ($rows as $row) $text .= sprintf('<p><b>%s</b> <i>%s</i></p>', htmlspecialchars($row['title']), htmlspecialchars($row['name']));
    exit(str_replace('ROWS', $text, file_get_contents(__DIR__ . '/../page.html')));
}
$purposes = ['GET /uploads/authorize' => 'authorize', 'POST /uploads/failed' => 'failed', 'POST /uploads/resolve' => 'resolve'];
$purpose = $purposes["$method $path"] ?? 'form';
$body = file_get_contents('php://input');
if (!penstock_is_signed([getenv('APP_KEY')], $purpose, $method, $target, $id, $body, $_SERVER['HTTP_PENSTOCK_SIGNATURE'] ?? '')) finish(403);

$db = new PDO('sqlite:' . getenv('APP_DB'), options: [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
switch ($purpose) {
case 'authorize':
    if ($user === null) {
        header('WWW-Authenticate: Cookie');
        finish(401, 'log in first');
    }
    header("Penstock-Grant-User: $user");
    finish(204);
case 'failed':
    foreach (['album', 'photo'] as $table) $db->prepare("DELETE FROM $table WHERE request = ?")->execute([$id]);
    $db->prepare('INSERT OR IGNORE INTO void VALUES (?)')->execute([$id]);
    finish(204);
case 'resolve':
    $db->exec('BEGIN IMMEDIATE');
    $found = is_there($db, 'album', $id);
    if (!$found) // and it never will be known: the form may still be on its way to here
        $db->prepare('INSERT OR IGNORE INTO void VALUES (?)')->execute([$id]);
    $db->exec('COMMIT');
    finish($found ? 204 : 404);
}
if ($_POST['title'] === 'no') finish(422, 'that title is taken');
$db->exec('BEGIN IMMEDIATE');
if (is_there($db, 'void', $id)) finish(409, 'that form has failed');
$db->prepare('INSERT INTO album VALUES (?, ?, ?)')->execute([$id, $user, $_POST['title']]);
foreach ($_POST['photo'] ?? [] as $text) { // PHP reads photo[] so
    $photo = json_decode($text, true, flags: JSON_THROW_ON_ERROR);
    $db->prepare("INSERT INTO photo VALUES (?, 'photo[]', ?, ?, ?)")->execute([$id, $photo['name'], $photo['target'], $photo['size']]);
}
$db->exec('COMMIT');
if ($_POST['title'] === 'die') posix_kill(getmypid(), 9);
header("Location: $path");
finish(303);

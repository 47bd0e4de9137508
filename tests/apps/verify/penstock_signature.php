<?php
// Whether a request to an application comes from penstock: the header Penstock-Signature.

/** @param string[] $keys one or more; $target: the path with its query as it was sent; $body: before anybody has parsed it */
function penstock_is_signed(array $keys, string $purpose, string $method, string $target, string $request_id,
                            string $body, string $header, int $within = 300): bool
{
    $said = ['p' => '', 't' => '', 'v1' => []];
    foreach (explode(',', $header) as $field) {
        [$name, $value] = explode('=', $field, 2) + [1 => ''];
        if ($name === 'v1') $said['v1'][] = $value;
        else $said[$name] = $value;
    }
    if ($said['p'] !== $purpose || !ctype_digit($said['t']) || abs(time() - (int)$said['t']) > $within) return false;
    $text = implode("\n", [$purpose, $said['t'], $method, $target, $request_id, hash('sha256', $body)]);
    foreach ($keys as $key)
        foreach ($said['v1'] as $signature)
            if (hash_equals(hash_hmac('sha256', $text, $key), $signature)) return true;
    return false;
}

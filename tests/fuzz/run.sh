#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each fuzzer for FUZZ_SECONDS (15). Seeds: tests/fuzz/seeds/NAME, and what the corpora offer. A crashing input is kept.
set -u
cd "$(dirname "$0")/../.." || exit 1
root=${BUILD_ROOT:-$PWD/build}
seconds=${FUZZ_SECONDS:-15}
if ! command -v clang >/dev/null; then
	echo "skip fuzz: clang is not installed"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi
bash tests/lib/build.sh fuzz || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
passed=0 failed=0
for source in tests/fuzz/fuzz_*.c; do
	name=$(basename "$source" .c)
	corpus=$root/fuzz-corpus/$name
	mkdir -p "$corpus"
	case $name in
	fuzz_config) # of two folders some have the same name
		for seed in tests/config/{good,bad}/*.yaml config/*.yaml; do cp "$seed" "$corpus/${seed//\//-}"; done
		;;
	fuzz_form) printf '\3\7--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--B--\r\n' >"$corpus/form" ;;
	fuzz_head)
		for names in "name=\"a\"; filename*=UTF-8''x" "name*=utf-8''%20; filename=\"=?utf-8?B?w6k=?=\"" "filename=a"; do
			printf 'multipart/form-data; boundary="B"\n/a/%%20b?a=1\nContent-Disposition: form-data; %s\r\nContent-Type: a/b\r\n' "$names" \
				>"$corpus/head${#names}"
		done
		;;
	fuzz_names)
		printf '/a/{field}-{part}/{path.1}\n/?q=%%2F..\n..%%2f\n../%%252e' >"$corpus/segments"
		printf '.{field}{query.q}/{file.name}.{file.ext}%%2F{header.h}\n/?q=.\n%%\n2F..;x' >"$corpus/joined"
		printf 'x/{date:%%Y/%%m}/{request_id}%%25.{file.ext}2e/{{{query.a}\n/?a=%%5c\n%%25\n.penstock-\xc0\xaf' >"$corpus/dates"
		printf '{date:/x}%%\n/\n.pen' >"$corpus/date-first"
		;;
	fuzz_decide) printf '\x1aPUT / HTTP/3' >"$corpus/frames-itself" ;;
	fuzz_origin)
		printf '\1\3PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\nGET' >"$corpus/v1"
		printf '\1\3\r\n\r\n\0\r\nQUIT\n\x21\x11\0\xc\xc0\0\2\1\xc0\0\2\2\xdc\4\1\xbbGET' >"$corpus/v2"
		printf '\2\1for="[2001:db8::1]:80";host="a,b", for=10.0.0.2\n192.0.2.1, 10.0.0.3' >"$corpus/head"
		;;
	fuzz_state)
		printf '00000027 00000000 D\0aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa\0\n' >"$corpus/done"
		# what follows is put into a record with the right checksum by the fuzzer itself
		printf 'J\0aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa\0app\0route\0id\0c\0/failed\0\0files\0/srv\0x\0f\0' >"$corpus/app"
		printf 'A\0aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa\0' >"$corpus/note"
		;;
	fuzz_s3_answer)
		printf '\7\377 <?xml version="1.0"?> <Error><Code>A</Code><Message>b</Message></Error>' >"$corpus/error"
		printf '\1\377<ErrorResponse xmlns="u:x"><Error><Code>&lt;&#65;</Code></Error></ErrorResponse>' >"$corpus/sts"
		printf '\2\377<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>' >"$corpus/created"
		printf '\3\377<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><Upload><Key>k</Key><UploadId>1</UploadId><Initiated>i</Initiated></Upload></ListMultipartUploadsResult>' \
			>"$corpus/uploads"
		;;
	fuzz_s3_credentials)
		printf '[default]\naws_access_key_id = A\naws_secret_access_key = S # x\n[profile b]\nrole_arn=r\n' >"$corpus/file"
		printf '{"Code":"Success","AccessKeyId":"A","SecretAccessKey":"S","Token":"T","Expiration":"2026-11-28T18:00:00Z"}' >"$corpus/json"
		printf 'http://[::1]:80/a?b' >"$corpus/url"
		;;
	fuzz_scan) printf '\5\7\3\0--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--B--\r\n' >"$corpus/form" ;;
	fuzz_spop) printf '\16penstock-admit\5\6method\10\4POST\6target\10\4/a/x\7version\10\0031.1\4host\10\1h\4type\10\37multipart/form-data;boundary=BB' >"$corpus/notify" ;;
	esac
	options=()
	# libFuzzer overhears the post-processor comparing with our secret delimiter and would use it in bodies
	[[ $name == fuzz_form || $name == fuzz_scan ]] && options=(-use_cmp=0)
	if "$root/fuzz/tests/$name" "${options[@]}" -max_total_time="$seconds" -max_len=4096 -timeout=10 -print_final_stats=1 \
		-artifact_prefix="$root/$name-" "$corpus" >"$root/$name.log" 2>&1; then
		echo "ok $name: $(grep -o 'stat::number_of_executed_units:.*' "$root/$name.log" | tr -s ' ')"
		passed=$((passed + 1))
	else
		tail -n 60 "$root/$name.log"
		echo "FAIL $name: the input is kept below $root"
		failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]

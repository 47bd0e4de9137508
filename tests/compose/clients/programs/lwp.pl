#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# lwp.pl URL FOLDER - LWP::UserAgent with a form that HTTP::Request::Common reads while it is sent.
use strict;
use warnings;
use HTTP::Request::Common qw(POST $DYNAMIC_FILE_UPLOAD);
use LWP::UserAgent;

my ($url, $folder) = @ARGV;
$DYNAMIC_FILE_UPLOAD = 1;
my @form;
open(my $lines, '<', "$folder/form.tsv") or die $!;
while (<$lines>) {
    chomp;
    my ($kind, $name, $path, $filename, $type) = split /\t/;
    if ($kind eq 'file') {
        push @form, $name => [$path, $filename, 'Content-Type' => $type];
        next;
    }
    open(my $file, '<:raw', $path) or die $!;
    local $/;
    my $value = <$file>;
    push @form, $name => defined $value ? $value : '';
}
my $answer = LWP::UserAgent->new(timeout => 240)->request(POST $url, 'Content-Type' => 'form-data', Content => \@form);
print $answer->code, "\n", $answer->content, "\n";

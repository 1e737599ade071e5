# Usage: perl corpus.pl JSV POLICY CASES     prints the cases whose answer is another one, then their number
use strict;
use warnings;
require $ARGV[0];
my ($policy, $why) = read_policy($ARGV[1]);
die $why if !$policy;
my ($run, $wrong) = (0, 0);
my %plain = (t => "\t", n => "\n", '\\' => '\\');
open(my $cases, '<', $ARGV[2]) or die $!;
while (my $line = <$cases>) {
    chomp $line;
    next if $line =~ /^#/;
    my @f = split /\t/, $line, -1;
    s/\\(.)/$plain{$1}/g for @f;
    my $answer = judge($policy, {
        queue => $f[1],
        user => $f[2],
        groups => [split /,/, $f[3]],
        nodes => $f[4] eq '-' ? undef : $f[4],
        script => $f[5],
        file => 'job.sh',
    }) // '-';
    $run++;
    next if $answer eq $f[6];
    $wrong++;
    print "$f[0]:\nexpected $f[6]\nfound    $answer\n";
}
print "$run cases, $wrong wrong\n";
exit($wrong == 0 && $run > 0 ? 0 : 1);

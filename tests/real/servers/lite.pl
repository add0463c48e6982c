# SOAP::Lite behind its own HTTP daemon: no WSDL, and Perl guesses every type from the text.
use strict;
use warnings;
use SOAP::Transport::HTTP;

package Layanan;

sub gema {
    my ($self, $data) = @_;
    my %back = %$data;
    $back{telepon} = undef if $data->{teks} eq 'null';
    $back{telepon} = '' if $data->{teks} eq 'kosong';
    $back{asal} = "Andr\xe9";
    $back{berkas} = SOAP::Data->type(base64Binary => $data->{berkas});
    return \%back;
}

sub gagal {
    my ($self, $alasan) = @_;
    die SOAP::Fault->faultcode('Server.Sibuk')->faultstring($alasan);
}

package main;

my $daemon = SOAP::Transport::HTTP::Daemon->new(LocalAddr => '127.0.0.1', LocalPort => $ARGV[0], ReuseAddr => 1);
$daemon->dispatch_with({ 'urn:layanan' => 'Layanan' })->handle;

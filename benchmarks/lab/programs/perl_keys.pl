# Keys of CryptX, Crypt::OpenSSL::RSA or Math::BigInt: perl perl_keys.pl FOLDER live|freed PACKAGE KIND...
use strict; use warnings;
$| = 1;
my ($folder, $state, $package, @kinds) = @ARGV;
sub text { open my $f, '<:raw', "$folder/$_[0].$_[1]" or die; local $/; <$f> }
my %load = (
    cryptx => sub {
        my $kind = shift;
        if ($kind =~ /^rsa/) { require Crypt::PK::RSA; my $k = Crypt::PK::RSA->new(\text($kind, 'key')); $k->sign_message('lab', 'SHA256'); return $k }
        if ($kind =~ /^dsa/) { require Crypt::PK::DSA; my $k = Crypt::PK::DSA->new(\text($kind, 'trad')); $k->sign_message('lab', 'SHA256'); return $k }
        if ($kind eq 'ed25519') { require Crypt::PK::Ed25519; my $k = Crypt::PK::Ed25519->new(\text($kind, 'key')); $k->sign_message('lab'); return $k }
        if ($kind eq 'x25519') { require Crypt::PK::X25519; return Crypt::PK::X25519->new(\text($kind, 'key')) }
        require Crypt::PK::ECC; my $k = Crypt::PK::ECC->new(\text($kind, 'key')); $k->sign_message('lab', 'SHA256'); return $k;
    },
    openssl => sub {
        require Crypt::OpenSSL::RSA;
        my $k = Crypt::OpenSSL::RSA->new_private_key(text(shift, 'key')); $k->use_sha256_hash; $k->sign('lab'); return $k;
    },
    bigint => sub {
        require Math::BigInt; Math::BigInt->import(lib => $ENV{LAB_LIB} || 'Calc');
        my $kind = shift;
        my %k = map { $_ => Math::BigInt->from_hex(unpack 'H*', text($kind, "$_.num")) } qw(n d p q);
        Math::BigInt->new(12345)->bmodpow($k{p}, $k{q}); return \%k;
    },
);
my @held;
for my $kind (@kinds) { push @held, eval { $load{$package}->($kind) }; warn "failed: $kind $@" if $@ }
if ($state eq 'freed') { @held = (); my @some = map { 'x' x 64 } 1 .. 8 }
print "ready\n";
sleep 3600;
print @held;

#!/bin/sh
# Creates the certificates and keys in this folder. Run it by hand, in any
# folder, with OpenSSL 3, and commit the files; no other script runs it. It
# replaces all files here, and `cargo test` must pass afterwards. The keys
# protect only the loopback connections of the tests.
#
#   ca            the authority of the tests, for --ca-file
#   other-ca      an authority that signed none of these certificates
#   server        localhost, names under it, 127.0.0.1 and ::1, signed by ca;
#                 webpki does not accept a wildcard for a single label, so
#                 the names that tests use are listed besides *.localhost
#   wrong-name    the same, but for other.example
#   expired       the same names as server, expired in 2021
#   self-signed   the same names, as `openssl req -x509` creates it by default:
#                 its own issuer, and CA:TRUE
#
# Keys are EC P-256 in PKCS#8. Dates are fixed (2020 to 2120), so that the
# clocks of the machines that run this script and the tests do not matter.
# `openssl ca` is used because `openssl x509` of OpenSSL 3.0 cannot set dates.
set -eu
umask 022
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

names='DNS:localhost, DNS:*.localhost'
names="$names, DNS:registry.localhost, DNS:auth.localhost, DNS:other.localhost"
names="$names, IP:127.0.0.1, IP:::1"
cat > "$work/openssl.cnf" <<CONF
[ca]
default_ca = tests
[tests]
database = $work/index.txt
new_certs_dir = $work
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = $names
[wrong_name]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:other.example
[self_signed]
basicConstraints = critical, CA:TRUE
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = $names
CONF
: > "$work/index.txt"

# make NAME SUBJECT SECTION END SIGNER, where SIGNER is NAME itself for a root.
make() {
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
        -out "$work/$1.key" 2> /dev/null
    openssl req -new -config /dev/null -key "$work/$1.key" -subj "/CN=$2" -out "$work/$1.csr"
    if [ "$5" = "$1" ]; then
        set -- "$1" "$2" "$3" "$4" -selfsign -keyfile "$work/$1.key"
    else
        set -- "$1" "$2" "$3" "$4" -cert "$5.pem" -keyfile "$work/$5.key"
    fi
    name=$1 section=$3 end=$4
    shift 4
    openssl ca -batch -notext -config "$work/openssl.cnf" -extensions "$section" \
        -startdate 20200101000000Z -enddate "$end" \
        "$@" -in "$work/$name.csr" -out "$name.pem" 2> "$work/log" || { cat "$work/log" >&2; exit 1; }
}

make ca 'regq tests CA' authority 21200101000000Z ca
make other-ca 'another CA' authority 21200101000000Z other-ca
make server localhost server 21200101000000Z ca
make wrong-name other.example wrong_name 21200101000000Z ca
make expired localhost server 20210101000000Z ca
make self-signed localhost self_signed 21200101000000Z self-signed
# The authorities' keys are thrown away: nothing more can be signed in their name.
for name in server wrong-name expired self-signed; do
    cp "$work/$name.key" "$name.key"
done

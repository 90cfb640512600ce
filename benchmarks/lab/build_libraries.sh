#!/bin/bash
# Build libraries for another machine: from source, static, into a folder of its own.
#
#   build_libraries.sh HOST SOURCES PREFIX [LIBRARY ...]
#
# HOST is what the compilers are called by (i686-linux-gnu, s390x-linux-gnu, powerpc-linux-gnu,
# x86_64-w64-mingw32); SOURCES holds one unpacked folder of each library, as `apt-get source` leaves
# them. Each library is built in a copy. What cannot be built is said, and is no error of the rest.
set -u
host=$1 sources=$2 prefix=$3
shift 3
wanted=${*:-mbedtls tommath tomcrypt gpg-error gcrypt gmp nettle sodium wolfssl bearssl openssl botan cryptopp}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$prefix/lib" "$prefix/include"
export CC_FOR_BUILD=gcc CC=$host-gcc CXX=$host-g++ AR=$host-ar RANLIB=$host-ranlib
export CFLAGS="-O1 -I$prefix/include" CXXFLAGS="-O1" LDFLAGS="-L$prefix/lib"
windows=
case $host in *mingw32) windows=yes ;; esac

objects() { # ARCHIVE FLAGS -- FILE ...: compile and put into an archive
    local archive=$1 flags=() number=0 file
    shift
    while [ "$1" != -- ]; do flags+=("$1"); shift; done
    shift
    for file; do
        number=$((number + 1))
        $CC $CFLAGS "${flags[@]}" -c "$file" -o "$work/$number.o" || return
    done
    $AR rcs "$prefix/lib/$archive" "$work"/*.o && rm "$work"/*.o
}
configured() { # FLAG ...
    ./configure --host="$host" --prefix="$prefix" --disable-shared --enable-static "$@"
}

build_mbedtls() {
    cp -r include/* "$prefix/include" && objects libmbedcrypto.a -Iinclude -Ilibrary -- \
        $(find library -name '*.c' ! -name 'ssl_*' ! -name 'x509*' ! -name 'net_*')
}
build_tommath() {
    cp tommath.h "$prefix/include" && objects libtommath.a -I. -- *.c
}
build_tomcrypt() {
    cp src/headers/*.h "$prefix/include"
    objects libtomcrypt.a -DLTC_SOURCE -DLTM_DESC -DUSE_LTM -Isrc/headers -- \
        $(find src -name '*.c' ! -name '*_tab.c' ! -name 'sober128tab.c')
}
build_gpg_error() { configured --disable-doc --disable-tests --disable-nls && make install; }
build_gcrypt() {
    configured --disable-doc --with-libgpg-error-prefix="$prefix" ${windows:+--disable-asm} &&
        make -C cipher && make -C random && make -C mpi && make -C compat && make -C src install
}
build_gmp() { configured && make && make install; }
build_nettle() {
    configured --disable-documentation --disable-openssl --libdir="$prefix/lib" \
        --with-include-path="$prefix/include" --with-lib-path="$prefix/lib" &&
        make libnettle.a libhogweed.a && make install-headers install-static
}
build_sodium() { configured && make -C src/libsodium install; }
build_wolfssl() {
    configured --enable-ed25519 --enable-curve25519 --enable-keygen --disable-examples \
        --disable-crypttests --enable-ecccustcurves && make src/libwolfssl.la && make install
}
build_bearssl() {
    cp inc/*.h "$prefix/include" && objects libbearssl.a -Iinc -Isrc -- $(find src -name '*.c')
}
build_openssl() {
    local target
    case $host in
        i686-linux*) target=linux-x86 ;;
        s390x-*) target=linux64-s390x ;;
        powerpc-*) target=linux-ppc ;;
        x86_64-w64*) target=mingw64 ;;
        i686-w64*) target=mingw ;;
    esac
    env -u CC -u CXX -u AR -u RANLIB CFLAGS=-O1 ./Configure "$target" --cross-compile-prefix="$host-" \
        --prefix="$prefix" --libdir=lib no-shared no-tests no-apps no-docs no-module $LAB_OPENSSL &&
        make build_generated libcrypto.a && make install_dev
}
build_botan() {
    local cpu os=linux
    case $host in i686-*) cpu=x86_32 ;; x86_64-*) cpu=x86_64 ;; powerpc-*) cpu=ppc32 ;; *) cpu=${host%%-*} ;; esac
    [ -z "$windows" ] || os=mingw
    ./configure.py --cpu=$cpu --os=$os --cc=gcc --cc-bin=$CXX --ar-command=$AR --prefix="$prefix" \
        --minimized-build --disable-shared-library --without-documentation --no-optimizations \
        --build-targets=static --enable-modules=rsa,ecdsa,ed25519,x25519,dsa,auto_rng,system_rng,emsa_pssr,emsa_x931,pkcs8,pem,sha2_32,sha2_64,pcurves &&
        make libs && make install
}
build_cryptopp() {
    cp *.h "$prefix/include/cryptopp" 2>/dev/null || { mkdir -p "$prefix/include/cryptopp" && cp *.h "$prefix/include/cryptopp"; }
    make -f GNUmakefile-cross static CXXFLAGS="-O1 -DCRYPTOPP_DISABLE_ASM" IS_LINUX=1 &&
        cp libcryptopp.a "$prefix/lib"
}

declare -A folders=([gpg-error]=libgpg-error [gcrypt]=libgcrypt20 [sodium]=libsodium
    [tommath]=libtommath [tomcrypt]=libtomcrypt [botan]=botan3)
: "${LAB_OPENSSL:=}"
for library in $wanted; do
    folder=${folders[$library]:-$library}
    from=$(find "$sources" -maxdepth 1 -type d -name "$folder*" | sort | tail -n 1)
    cp -r "$from" "$work/$library"
    if (cd "$work/$library" && "build_${library//-/_}") >"$prefix/$library.log" 2>&1 </dev/null; then
        echo "$host: $library"
    else
        echo "$host: $library: not built: $(grep -iE 'error' "$prefix/$library.log" | head -n 1)"
    fi
    rm -rf "${work:?}/$library" "$work"/*.o
done

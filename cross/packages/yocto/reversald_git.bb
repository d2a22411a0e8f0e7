# For a layer of your own: meta-yours/recipes-payment/reversald/reversald_git.bb
# Fill in where you keep the source; its Go modules are fetched by Go itself, from
# the proxy that GOPROXY of your build names, and checked against go.sum.
SUMMARY = "card sales journal and automatic reversals for payment terminals"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://src/${GO_IMPORT}/LICENSE;md5=3b83ef96387f14655fc854ddc3c6bd57"

GO_IMPORT = "reversald"
SRC_URI = "git://${REVERSALD_GIT};protocol=https;branch=main;destsuffix=${GO_SRCURI_DESTSUFFIX}"
SRCREV = "${AUTOREV}"
PV = "0.0+git${SRCPV}"
S = "${WORKDIR}/git"

inherit go-mod systemd useradd update-rc.d

# A release of Yocto whose Go is older than go.mod asks for builds the same source
# with the versions that Go 1.23 takes.
REVERSALD_MOD ?= "go.mod"
GO_INSTALL = "${GO_IMPORT}/agent/cmd/reversald"
GOBUILDFLAGS:append = " -modfile=${REVERSALD_MOD} -tags=nethttpomithttp2"
CGO_ENABLED = "0"
do_compile[network] = "1"

USERADD_PACKAGES = "${PN}"
GROUPADD_PARAM:${PN} = "--system reversald"
USERADD_PARAM:${PN} = "--system --no-create-home --home-dir /var/lib/reversald \
    --shell /bin/false --gid reversald --groups dialout,lp reversald"

SYSTEMD_SERVICE:${PN} = "reversald.service reversald-iso.socket reversald-api.socket"
INITSCRIPT_NAME = "reversald"
INITSCRIPT_PARAMS = "defaults 95 05"

do_install:append() {
    packages=${S}/src/${GO_IMPORT}/cross/packages
    install -D -m 0640 $packages/reversald.yaml ${D}${sysconfdir}/reversald/reversald.yaml
    install -D -m 0755 $packages/init/sysv ${D}${sysconfdir}/init.d/reversald
    install -D -m 0755 $packages/init/keep ${D}${nonarch_libdir}/reversald/keep
    install -D -m 0644 $packages/60-reversald.rules ${D}${nonarch_base_libdir}/udev/rules.d/60-reversald.rules
    if ${@bb.utils.contains('DISTRO_FEATURES', 'systemd', 'true', 'false', d)}; then
        for unit in $packages/systemd/reversald*; do
            install -D -m 0644 $unit ${D}${systemd_system_unitdir}/$(basename $unit)
        done
        install -D -m 0644 $packages/systemd/tmpfiles.conf ${D}${nonarch_libdir}/tmpfiles.d/reversald.conf
    fi
}

CONFFILES:${PN} = "${sysconfdir}/reversald/reversald.yaml"
FILES:${PN} += "${nonarch_libdir} ${nonarch_base_libdir} ${systemd_system_unitdir}"

################################################################################
#
# reversald
#
# For package/reversald of your tree or BR2_EXTERNAL. Say where the source is:
# a version and a site, or an override of its folder (REVERSALD_OVERRIDE_SRCDIR).
#
################################################################################

REVERSALD_VERSION ?= main
REVERSALD_SITE_METHOD ?= git
REVERSALD_LICENSE = Apache-2.0
REVERSALD_LICENSE_FILES = LICENSE
REVERSALD_GOMOD = reversald
REVERSALD_BUILD_TARGETS = agent/cmd/reversald
REVERSALD_INSTALL_BINS = reversald
REVERSALD_TAGS = nethttpomithttp2
REVERSALD_GO_ENV = CGO_ENABLED=0

define REVERSALD_INSTALL_CONFIGURATION
	$(INSTALL) -D -m 0640 $(@D)/cross/packages/reversald.yaml \
		$(TARGET_DIR)/etc/reversald/reversald.yaml
	$(INSTALL) -D -m 0644 $(@D)/cross/packages/60-reversald.rules \
		$(TARGET_DIR)/usr/lib/udev/rules.d/60-reversald.rules
endef
REVERSALD_POST_INSTALL_TARGET_HOOKS += REVERSALD_INSTALL_CONFIGURATION

define REVERSALD_INSTALL_INIT_SYSV
	$(INSTALL) -D -m 0755 $(@D)/cross/packages/init/keep \
		$(TARGET_DIR)/usr/lib/reversald/keep
	$(INSTALL) -D -m 0755 $(@D)/cross/packages/init/sysv \
		$(TARGET_DIR)/etc/init.d/S95reversald
endef

define REVERSALD_INSTALL_INIT_SYSTEMD
	$(foreach unit,reversald.service reversald-iso.socket reversald-api.socket, \
		$(INSTALL) -D -m 0644 $(@D)/cross/packages/systemd/$(unit) \
			$(TARGET_DIR)/usr/lib/systemd/system/$(unit)
	)
endef

define REVERSALD_USERS
	reversald -1 reversald -1 * /var/lib/reversald - dialout,lp card sales journal
endef

define REVERSALD_PERMISSIONS
	/var/lib/reversald d 0700 reversald reversald - - - - -
	/etc/reversald/reversald.yaml f 0640 root reversald - - - - -
endef

$(eval $(golang-package))

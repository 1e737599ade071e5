package org.vse.provisioner.libvirt;

import org.libvirt.Error;
import org.libvirt.Error.ErrorNumber;
import org.libvirt.LibvirtException;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** libvirt's errors in our words; libvirt's own words are always kept beside them. */
final class LibvirtErrors {
    private LibvirtErrors() {}

    /** @param doing what was attempted, as {@code "start machine 'x'"} */
    static VseException failed(String doing, LibvirtException e) {
        return VseException.of(ErrorCode.LIBVIRT_FAILED, "libvirt could not " + doing)
                .fact("libvirt", said(e))
                .because(e);
    }

    /** libvirt's message, verbatim. */
    static String said(LibvirtException e) {
        return String.valueOf(e.getMessage()).strip();
    }

    /** True when there is no such machine, or it has just ended. */
    static boolean isGone(LibvirtException e) {
        return is(e, ErrorNumber.VIR_ERR_NO_DOMAIN)
                || (is(e, ErrorNumber.VIR_ERR_OPERATION_INVALID) && said(e).contains("domain is not running"));
    }

    static boolean is(LibvirtException e, ErrorNumber... numbers) {
        Error error = e.getError();
        if (error == null) {
            return false;
        }
        for (ErrorNumber number : numbers) {
            if (error.getCode() == number) {
                return true;
            }
        }
        return false;
    }
}

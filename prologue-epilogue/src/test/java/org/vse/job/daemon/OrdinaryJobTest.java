package org.vse.job.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.junit.jupiter.api.Test;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.policy.JobDescription;
import org.vse.policy.JobScript;
import org.vse.policy.Network;
import org.vse.policy.Share;
import org.vse.scheduler.PbsResources;

class OrdinaryJobTest {
    private static JobDescription description(String header) {
        return OrdinaryJob.description(JobScript.parse("job.sh", header).settings());
    }

    private static VseException refused(String header) {
        JobScript script = JobScript.parse("job.sh", header);
        VseException failure = catchThrowableOfType(VseException.class, () -> {
            OrdinaryJob.description(script.settings());
            OrdinaryJob.requireOneNode(PbsResources.read(script));
        });
        assertThat(failure).as(header).isNotNull();
        return failure;
    }

    @Test
    void whatNobodySaidIsWhatAnOrdinaryUserCanHave() {
        JobDescription job = description("#VSE image=a");
        assertThat(job.network()).isEqualTo(Network.USER);
        assertThat(job.share()).isEqualTo(Share.P9);
        assertThat(job.vmsPerNode()).isEqualTo(1);
    }

    @Test
    void whatAnOrdinaryUserCanHaveMayBeSaid() {
        assertThat(description("#VSE image=a network=user share=9p vms-per-node=1")
                        .share())
                .isEqualTo(Share.P9);
        assertThat(description("#VSE image=a share=none").share()).isEqualTo(Share.NONE);
    }

    @Test
    void whatTakesRootIsRefusedAtItsPlaceAndNeverReplaced() {
        VseException nfs = refused("#VSE image=a share=nfs");
        assertThat(nfs.code()).isEqualTo(ErrorCode.SHARE_UNSUPPORTED);
        assertThat(nfs.where()).isEqualTo("job.sh:1:20");
        assertThat(nfs.render()).contains("'share=nfs' takes root", "write share=9p or nothing", "sudo vse up");
        VseException job = refused("#!/bin/sh\n#VSE image=a network=job");
        assertThat(job.code()).isEqualTo(ErrorCode.NOT_PERMITTED);
        assertThat(job.where()).isEqualTo("job.sh:2:22");
        assertThat(refused("#VSE image=a vms-per-node=2").render()).contains("'vms-per-node=2' takes root");
        VseException nodes = refused("#PBS -l nodes=2:ppn=1\n#VSE image=a");
        assertThat(nodes.code()).isEqualTo(ErrorCode.NOT_PERMITTED);
        assertThat(nodes.where()).startsWith("job.sh:1:");
    }

    @Test
    void aScriptWithoutAnImageIsToldSo() {
        assertThat(refused("#VSE memory=1GiB").code()).isEqualTo(ErrorCode.DIRECTIVE_IMAGE_MISSING);
    }
}

package org.vse.imagestore.build;

import java.nio.file.Path;
import org.vse.failure.VseException;
import org.vse.imagestore.recipe.Recipe;

/** Where the files of packages come from. */
public interface PackageSource {
    /**
     * Installs the recipe's packages.
     *
     * @param root an empty directory that becomes the guest's root
     * @param scratch an empty directory for what is not kept
     * @throws VseException IMAGE_BUILD_FAILED, COMMAND_MISSING, COMMAND_TIMEOUT
     */
    void installPackages(Recipe recipe, Path root, Path scratch, BuildLog log);

    /**
     * Unpacks the packages of the recipe's kernels: {@code boot/vmlinuz-VERSION} and {@code lib/modules/VERSION} for each.
     *
     * @param root an empty directory, not the guest's root
     * @param scratch an empty directory for what is not kept
     * @throws VseException IMAGE_BUILD_FAILED, COMMAND_MISSING, COMMAND_TIMEOUT
     */
    void unpackKernels(Recipe recipe, Path root, Path scratch, BuildLog log);
}

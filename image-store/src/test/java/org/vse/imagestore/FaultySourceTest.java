package org.vse.imagestore;

/** The fake, as long as nothing goes wrong. */
class FaultySourceTest extends ImageSourceContract {
    @Override
    protected ImageSource source(ImageStore store) {
        return new FaultySource(new DirectorySource(store.root()), 0, FaultySource.Fault.NONE);
    }
}

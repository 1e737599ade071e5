# shellcheck shell=sh
# The qsub of VSE before that of OpenPBS, by 'vse install'.
case $PATH in
    @BIN@:*) ;;
    *) PATH=@BIN@:$PATH ;;
esac

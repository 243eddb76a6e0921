#compdef artreg
_artreg() {
    local line word files
    local -a closed open
    for line in "${(@f)$(_ARTREG_COMPLETE=zsh "${(Q)words[1]/#\~/$HOME}" "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}"; do
        word=${line%%$'\t'*}
        case $word in
            '') ;;
            :files) files=1 ;;
            *[@=/]) open+=("${word//:/\\:}${${line#$word}/$'\t'/:}") ;;
            *) closed+=("${word//:/\\:}${${line#$word}/$'\t'/:}") ;;
        esac
    done
    (( $#closed )) && _describe -V artreg closed
    (( $#open )) && _describe -V artreg open -S ''
    [[ -n $files ]] && _files
    return 0
}
if [[ $funcstack[1] == _artreg ]]; then
    _artreg "$@"
else
    compdef _artreg artreg
fi

function __artreg_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in (env _ARTREG_COMPLETE=fish (string replace -r '^~' $HOME -- $words[1]) $words[2..-1] "$current" 2>/dev/null)
        switch $line
            case ':files'
                __fish_complete_path "$current"
            case '*'
                echo $line
        end
    end
end
complete --command artreg --no-files --keep-order --arguments '(__artreg_complete)'

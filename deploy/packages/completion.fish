# Completions of server-monitor, which knows its commands and flags itself.
complete --command server-monitor --arguments '(set --local words (commandline --tokenize --cut-at-cursor --current-process); server-monitor --completion-bash $words[2..-1] (commandline --current-token) 2>/dev/null)'

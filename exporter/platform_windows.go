package main

import "server-monitor/internal/policy"

// platform is the one whose documents hold here.
const platform = policy.Windows

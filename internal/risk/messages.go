package risk

import (
	"strings"

	"server-monitor/internal/language"
	"server-monitor/internal/process"
)

// message names one text of the catalogue, which is in messages_english.go and
// messages_korean.go. A text may hold places for values, as "{user}".
type message uint8

const (
	noMessage message = iota

	// What a program is for.
	roleKernelThread
	roleEnded
	roleContainerInit
	roleSystemCore
	roleRuns
	roleUnknown

	// Where an unknown program belongs.
	placeContainer
	placeUserService
	placeService
	placeUnit
	placeTerminal
	placeSession
	placeBackground
	originSystem
	originLocal
	originAddOn
	originHome
	originTemporary
	originMemory
	originFolder
	originUnseen
	startedBy
	startedByUnknown
	byUser
	joinParts

	// What it is doing.
	stateRunning
	stateSleeping
	stateUninterruptible
	stateStopped
	stateTraced
	stateIdle
	stateEnded
	stateOther

	// The verdict in a sentence.
	summaryExcluded
	summarySafe
	summarySafeExpected
	summarySafeNoted
	summaryUnseen
	summaryForgeable
	summaryUnknown
	summaryUnknownNoted
	summaryCaution
	summaryDanger
	summaryUnknownDanger

	unseenExe
	unseenNamespaces
	unseenSockets
	unseenCgroup
	unseenUser
	unseenProtection
	joinList

	// From where a port can be reached.
	scopePublic
	scopePrivate
	scopeForeign

	// Findings.
	textRunningAsRoot
	textPublicPort
	textSystemPort
	textHighMemory
	textSuspiciousPath
	textWritableScript
	textWritablePlace
	textDropPlace
	textStream
	textDeletedExe
	textFilelessExe
	textMasqueradeKernel
	textMasqueradeName
	textMasqueradeUnseen
	textWritableExe

	adviceExpected
	adviceRunningAsRoot
	adviceRunningAsRootUnit
	adviceSystemPort
	adviceHighMemory
	adviceSuspiciousPath
	adviceWritableScript
	adviceWritablePlace
	adviceDeletedExe
	adviceDeletedExeUnit
	adviceFilelessExe
	adviceMasquerade
	adviceWritableExe

	// The same where the program is one of Windows.
	adviceRunningAsRootWindows
	adviceRunningAsRootHosted
	adviceHighMemoryWindows
	adviceSuspiciousPathWindows
	adviceMasqueradeWindows
	adviceWritableExeWindows

	// Why a port matters, and what to do.
	reasonSSH
	reasonPlainRemote
	reasonRemoteControl
	reasonRDP
	reasonVNC
	reasonX11
	reasonAdmin
	reasonDatabase
	reasonRedis
	reasonElasticsearch
	reasonMemcached
	reasonMongoDB
	reasonPort9000
	reasonCodeExecution
	reasonDeveloper
	reasonFileSharing
	reasonPlainFiles
	reasonShare
	reasonRPC
	reasonHTTP
	reasonHTTPS
	reasonWebAlternative
	reasonProxy
	reasonMail
	reasonCluster
	reasonDocker
	reasonEtcd
	reasonKubelet
	reasonClusterTraffic
	reasonBroker
	reasonBrokerTLS
	reasonNames
	reasonLocalDiscovery
	reasonDirectory
	reasonAuthentication
	reasonSNMP
	reasonMonitoring
	reasonSyslog
	reasonVPN
	reasonPrinting
	reasonTelephony
	reasonIndustrial
	reasonObsolete

	adviceSSH
	advicePlainRemote
	adviceRemoteControl
	adviceAdmin
	adviceDatabase
	adviceCodeExecution
	adviceDeveloper
	adviceFileSharing
	advicePlainFiles
	adviceShare
	adviceRPC
	adviceHTTP
	adviceHTTPS
	adviceWebAlternative
	adviceProxy
	adviceMail
	adviceCluster
	adviceClusterTraffic
	adviceBroker
	adviceBrokerTLS
	adviceNames
	adviceLocalDiscovery
	adviceDirectory
	adviceAuthentication
	adviceSNMP
	adviceMonitoring
	adviceSyslog
	adviceVPN
	advicePrinting
	adviceTelephony
	adviceIndustrial
	adviceObsolete

	messageCount
)

// catalogue is all texts of one language.
type catalogue [messageCount]string

// text is a message as it is written, with its places still empty.
func (m message) text(l language.Language) string {
	if l == language.Korean {
		return korean[m]
	}
	return english[m]
}

// in is the message in a language. values are pairs of a place's name and what
// comes there, which is made printable: it is other people's bytes.
func (m message) in(l language.Language, values ...string) string {
	text := m.text(l)
	if !strings.Contains(text, "{") {
		return text
	}
	var b strings.Builder
	b.Grow(2 * len(text))
	for {
		before, rest, found := strings.Cut(text, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		place, after, _ := strings.Cut(rest, "}")
		b.WriteString(process.Printable(valueOf(place, values)))
		text = after
	}
}

// valueOf finds the value of a place among pairs.
func valueOf(place string, values []string) string {
	for i := 0; i+1 < len(values); i += 2 {
		if values[i] == place {
			return values[i+1]
		}
	}
	return ""
}

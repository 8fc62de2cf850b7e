/*
 * Risk, severity, approval modes: the finite domain that the safety kernel is tested over.
 */
#ifndef MODEL_RISK_H
#define MODEL_RISK_H

#include <stdbool.h>

enum risk { RISK_LOW, RISK_MEDIUM, RISK_HIGH };
enum severity { SEVERITY_HEALTHY, SEVERITY_DEGRADED, SEVERITY_UNHEALTHY, SEVERITY_CRITICAL };
enum healing { HEALING_OFF, HEALING_ON, HEALING_SHADOW }; /* shadow: decides, says, does not act */
enum consent { CONSENT_DEFAULT, CONSENT_AUTO, CONSENT_ASK, CONSENT_NEVER }; /* policy's "then" */

const char *risk_name(enum risk risk);               /* "LOW" */
bool risk_parse(const char *text, enum risk *risk);  /* any case */
const char *severity_name(enum severity severity);   /* "CRITICAL" */
const char *severity_icon(enum severity severity);   /* "🔴" */
const char *healing_name(enum healing healing);      /* "off" "on" "shadow" */
bool healing_parse(const char *text, enum healing *healing); /* also true/false */

#endif

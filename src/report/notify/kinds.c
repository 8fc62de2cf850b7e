/* The kinds of channels, in the order of enum notify_type. */
#include "report/notify/channel.h"

const struct channel_kind *const channel_kinds[NOTIFY_TYPES] = {
	[NOTIFY_NTFY] = &ntfy_channel,
	[NOTIFY_GOTIFY] = &gotify_channel,
	[NOTIFY_DISCORD] = &discord_channel,
	[NOTIFY_SLACK] = &slack_channel,
	[NOTIFY_MATRIX] = &matrix_channel,
	[NOTIFY_WEBHOOK] = &webhook_channel,
	[NOTIFY_SMTP] = &mail_channel,
};

/* config_parse of any bytes: the YAML reader and the configuration's checks. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {0};
	struct config *config = config_parse("f", (const char *)data, size, size % 2 == 0, &err);
	/* either a configuration with a source, or an error that names the place */
	if (config == NULL ? strncmp(err.text, "f:", 2) != 0 : config->docker_count == 0)
		abort();
	for (int i = 0; config != NULL && i < config->policy_count; i++) {
		const struct config_policy *rule = &config->policy[i];
		bool loose = rule->action == NULL || strpbrk(rule->action, "*?") != NULL ||
			(rule->has_risk && rule->risk == RISK_HIGH);
		if (rule->then == CONSENT_AUTO && loose)
			abort();
	}
	config_free(config);
	return 0;
}

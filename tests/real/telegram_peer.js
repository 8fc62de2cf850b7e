// Serves telegram-test-api on a free port of 127.0.0.1, and says its URL, until it is ended.
'use strict';

const net = require('net');
const TelegramServer = require('telegram-test-api');

const probe = net.createServer();
probe.listen(0, '127.0.0.1', () => {
	const { port } = probe.address();
	probe.close(async () => {
		await new TelegramServer({ port, host: '127.0.0.1' }).start();
		console.log(`http://127.0.0.1:${port}`);
	});
});

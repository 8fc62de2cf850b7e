// A server of both eras on the official SDK, on loopback; prints its port.
import { createServer } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { McpServer, createMcpHandler } from '@modelcontextprotocol/server';
import { z } from 'zod';

const make = () => {
	const server = new McpServer({ name: 'peer', version: '1.0.0' });
	server.registerTool(
		'echo',
		{ description: 'Says it back.', inputSchema: z.object({ message: z.string() }) },
		async ({ message }) => ({ content: [{ type: 'text', text: `Echo: ${message}` }] }),
	);
	return server;
};
const http = createServer(toNodeHandler(createMcpHandler(make)));
http.listen(0, '127.0.0.1', () => console.log(http.address().port));

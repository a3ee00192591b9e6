// Counts the orders of the three APIs, without cancelled and failed ones, with Node's own fetch: a
// reader that shares nothing with the clients of this project, as the providers' own client
// libraries do not.
//
//     node count_orders.mjs http://127.0.0.1:8787

const root = process.argv[2];

async function get(path, headers) {
  const reply = await fetch(root + path, { headers });
  if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
  return reply.json();
}

async function cnaught() {
  const headers = { Authorization: "Bearer sandbox-cnaught-key" };
  const ids = new Set();
  let cursor = "";
  for (;;) {
    const { data } = await get(`/cnaught/v1/orders?limit=100${cursor}`, headers);
    data.filter((order) => order.state !== "cancelled").forEach((order) => ids.add(order.id));
    if (data.length < 100) return ids.size;
    cursor = `&starting_after=${data.at(-1).id}`;
  }
}

async function* lunePages(path, headers) {
  let cursor = "";
  for (;;) {
    const page = await get(`/lune/v1${path}?limit=100${cursor}`, headers);
    yield page.data;
    if (!page.has_more) return;
    cursor = `&after=${encodeURIComponent(page.next_cursor)}`;
  }
}

async function lune() {
  const headers = { Authorization: "Bearer sandbox-lune-key" };
  const accounts = [(await get("/lune/v1/accounts/me", headers)).id];
  for await (const clients of lunePages("/accounts/client", headers)) {
    accounts.push(...clients.map((client) => client.id));
  }
  const ids = new Set();
  for (const account of accounts) {
    for await (const orders of lunePages("/orders", { ...headers, "Lune-Account": account })) {
      orders
        .filter((order) => !["cancelled", "failed"].includes(order.status))
        .forEach((order) => ids.add(order.id));
    }
  }
  return ids.size;
}

async function isometric() {
  const headers = {
    "X-Client-Secret": "sandbox-isometric-secret",
    Authorization: "Bearer sandbox-isometric-buyer",
  };
  const base = "/isometric/registry/v0";
  const { id } = await get(`${base}/organisation`, headers);
  const ids = new Set();
  let cursor = "";
  for (;;) {
    const page = await get(`${base}/organisations/${id}/orders?first=2${cursor}`, headers);
    page.nodes.forEach((order) => ids.add(order.id));
    if (!page.page_info.has_next_page) return ids.size;
    cursor = `&after=${encodeURIComponent(page.page_info.end_cursor)}`;
  }
}

console.log(
  JSON.stringify({ cnaught: await cnaught(), lune: await lune(), isometric: await isometric() }),
);

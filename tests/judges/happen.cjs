// Waiting, and making something happen meanwhile.

const PAUSE = 50;
const sleep = (time) => new Promise((resolve) => setTimeout(resolve, time));

/** Whether it is so in time. */
async function until(so, patience) {
  for (const end = Date.now() + patience; !so() && Date.now() < end; ) await sleep(PAUSE);
  return so();
}

/** Sends the requests, again and again until what they are for is so: who is about to listen may have missed some. */
async function happen(requests, so, patience) {
  const end = Date.now() + patience;
  do {
    for (const { url, method, headers, body } of requests) {
      const answer = await fetch(url, { method, headers, body: body || undefined });
      await answer.arrayBuffer();
    }
  } while (!(await until(so, 500)) && Date.now() < end);
}

Object.assign(exports, { until, happen });

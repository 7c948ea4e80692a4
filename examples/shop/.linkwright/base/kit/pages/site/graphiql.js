import { here } from "/site/shared.js";

const { service } = await here();
const url = `${service.api}/graphql`;
const fetcher = GraphiQL.createFetcher({ url, subscriptionUrl: `ws://${location.host}${url}/ws` });
const main = document.getElementById("main");
main.style.height = `calc(100vh - ${document.getElementById("nav").offsetHeight}px)`;
ReactDOM.createRoot(main).render(React.createElement(GraphiQL, { fetcher }));

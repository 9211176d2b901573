// Makes the user of server-monitor when MongoDB starts for the first time. It may read and write
// its own database, and nothing else.
db.getSiblingDB('server_monitor').createUser({
  user: 'server_monitor',
  pwd: process.env.SERVER_MONITOR_PASSWORD,
  roles: [{ role: 'readWrite', db: 'server_monitor' }],
});
